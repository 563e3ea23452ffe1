// The schema browser: types and fields of a schema, with what they say about themselves.
import { getNamedType, isEnumType, isInputObjectType, isInterfaceType, isObjectType, isUnionType } from 'graphql';

const el = (tag, props = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children.filter((c) => c !== null && c !== undefined));
  return node;
};

// browse fills box with the schema and wires the search field; insert puts a field's
// name where the cursor is.
export function browse(box, find, schema, words, insert) {
  const roots = [schema.getQueryType(), schema.getMutationType()].filter(Boolean);
  const types = Object.values(schema.getTypeMap()).filter((t) => !t.name.startsWith('__')).sort((a, b) => a.name.localeCompare(b.name));
  const trail = [];

  const typeLink = (type) => {
    const named = getNamedType(type);
    const button = el('button', { type: 'button', className: 'xtype', textContent: String(type) });
    button.addEventListener('click', () => { trail.push(named); show(named); });
    return button;
  };
  const about = (thing) => [
    thing.description ? el('p', { textContent: thing.description }) : null,
    thing.deprecationReason ? el('p', { className: 'badt', textContent: `${words.deprecated} ${thing.deprecationReason}` }) : null,
  ];
  const field = (f) => {
    const name = el('button', { type: 'button', className: 'xname', textContent: f.name, title: words.insert });
    name.addEventListener('click', () => insert(f.name));
    const args = (f.args ?? []).map((a) => el('li', {}, `${a.name}: `, typeLink(a.type), a.defaultValue === undefined ? null : ` = ${JSON.stringify(a.defaultValue)}`, ...about(a)));
    return el('li', {}, name, ': ', typeLink(f.type), ...about(f), args.length ? el('ul', {}, ...args) : null);
  };
  const members = (type) => {
    if (isObjectType(type) || isInterfaceType(type) || isInputObjectType(type)) return Object.values(type.getFields()).map(field);
    if (isEnumType(type)) return type.getValues().map((v) => el('li', {}, el('code', { textContent: v.name }), ...about(v)));
    if (isUnionType(type)) return type.getTypes().map((t) => el('li', {}, typeLink(t)));
    return [];
  };
  const show = (type) => {
    const back = el('button', { type: 'button', className: 'btn s ghost', textContent: words.back });
    back.addEventListener('click', () => {
      trail.pop();
      if (trail.length) show(trail.at(-1));
      else overview();
      box.focus();
    });
    box.replaceChildren(back, el('h3', { textContent: type.name }), ...about(type).filter(Boolean), el('ul', {}, ...members(type)));
    box.scrollTop = 0;
  };
  const overview = () => {
    const rest = types.filter((t) => !roots.includes(t));
    box.replaceChildren(
      ...roots.flatMap((r) => [el('h3', {}, typeLink(r)), el('ul', {}, ...Object.values(r.getFields()).map((f) => el('li', {}, el('span', { textContent: `${f.name}: ` }), typeLink(f.type))))]),
      el('h3', { textContent: words.types }),
      el('ul', {}, ...rest.map((t) => el('li', {}, typeLink(t)))),
    );
  };
  const search = (asked) => {
    const hits = types.flatMap((t) => [
      ...(t.name.toLowerCase().includes(asked) ? [el('li', {}, typeLink(t))] : []),
      ...(t.getFields ? Object.values(t.getFields()).filter((f) => f.name.toLowerCase().includes(asked)).map((f) => el('li', {}, typeLink(t), `.${f.name}: `, typeLink(f.type))) : []),
    ]);
    box.replaceChildren(hits.length ? el('ul', {}, ...hits.slice(0, 100)) : el('p', { textContent: words.nothing }));
  };
  find.addEventListener('input', () => {
    trail.length = 0;
    const asked = find.value.trim().toLowerCase();
    if (asked) search(asked);
    else overview();
  });
  overview();
}
