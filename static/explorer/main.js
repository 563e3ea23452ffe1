// The GraphQL explorer of /explorer: write a query, run it as the person who is signed in,
// read the schema. build.mjs bundles this folder into vendor/explorer.js, for that page only.
//
// The editor lives in a shadow root: there CodeMirror uses constructed style sheets, in the
// document it would write a <style>, which the content security policy forbids.
import { EditorView, basicSetup } from 'codemirror';
import { keymap } from '@codemirror/view';
import { Prec } from '@codemirror/state';
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { tags } from '@lezer/highlight';
import { graphql, updateSchema } from 'cm6-graphql';
import { buildClientSchema, getIntrospectionQuery, parse, print } from 'graphql';
import { browse } from './schema.js';
import { History } from './history.js';
import { curl } from './curl.js';

const root = document.getElementById('explorer');
const part = (name) => root.querySelector(`[data-x=${name}]`);
const words = root.dataset;
const variables = part('variables');
const status = part('status');
const result = part('result');
const say = (text) => document.dispatchEvent(new CustomEvent('steward:toast', { detail: { text } }));

// --- editor -----------------------------------------------------------------------------
const colours = HighlightStyle.define([
  { tag: tags.keyword, color: 'var(--vio)' },
  { tag: [tags.propertyName, tags.attributeName], color: 'var(--accent-ink)' },
  { tag: [tags.string, tags.number, tags.bool], color: 'var(--ok)' },
  { tag: [tags.variableName, tags.definition(tags.variableName)], color: 'var(--warn)' },
  { tag: tags.comment, color: 'var(--text-3)' },
]);
const look = EditorView.theme({
  '&': { height: '100%', fontSize: '.8125rem', backgroundColor: 'var(--surface)', color: 'var(--text)' },
  '&.cm-focused': { outline: '2px solid var(--focus)', outlineOffset: '-2px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55' },
  '.cm-content': { caretColor: 'var(--text)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-gutters': { backgroundColor: 'var(--surface-2)', color: 'var(--text-3)', borderRight: '1px solid var(--line)' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--accent-soft)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--accent-line)' },
  '.cm-tooltip': { backgroundColor: 'var(--overlay)', border: '1px solid var(--line-2)', color: 'var(--text)' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--accent)', color: 'var(--on-accent)' },
  // The stock marks are data: images, which the policy forbids.
  '.cm-lintRange': { backgroundImage: 'none' },
  '.cm-lintRange-error': { textDecoration: 'underline wavy var(--bad-mark)' },
  '.cm-lintRange-warning': { textDecoration: 'underline wavy var(--warn-mark)' },
  '.cm-lint-marker': { content: 'none' },
  '.cm-panels': { backgroundColor: 'var(--surface-2)', color: 'var(--text)' },
});

// Typing over a selection of several lines: left to the browser, it joins them with styled
// elements, which the policy reports. So the text is put in here, as CodeMirror would.
const typeOver = EditorView.domEventHandlers({
  beforeinput(e, view) {
    const { from, to, empty } = view.state.selection.main;
    if (e.inputType !== 'insertText' || !e.data || empty || view.composing) return false;
    const insert = () => view.state.update(view.state.replaceSelection(e.data), { userEvent: 'input.type', scrollIntoView: true });
    if (!view.state.facet(EditorView.inputHandler).some((handle) => handle(view, from, to, e.data, insert))) view.dispatch(insert());
    e.preventDefault();
    return true;
  },
});

const host = part('editor');
const shadow = host.attachShadow({ mode: 'open' });
const frame = document.createElement('div');
const fill = new CSSStyleSheet();
fill.replaceSync(':host, div:first-child { height: 100%; }');
shadow.adoptedStyleSheets = [fill];
shadow.append(frame);
const editor = new EditorView({
  doc: words.sample,
  root: shadow,
  parent: frame,
  extensions: [
    Prec.highest(keymap.of([{ key: 'Mod-Enter', run: () => { run(); return true; } }])),
    basicSetup,
    syntaxHighlighting(colours),
    look,
    typeOver,
    graphql(),
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({ 'aria-label': host.getAttribute('aria-label') }),
  ],
});
const query = () => editor.state.doc.toString();
const replace = (text) => editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: text } });

// --- running ----------------------------------------------------------------------------
const post = (body, signal) => fetch(words.endpoint, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
  body: JSON.stringify(body),
  signal,
});

// request is what is sent, or null when the variables are not JSON.
const request = () => {
  const text = variables.value.trim();
  try {
    const body = text ? { query: query(), variables: JSON.parse(text) } : { query: query() };
    variables.removeAttribute('aria-invalid');
    return body;
  } catch (e) {
    variables.setAttribute('aria-invalid', 'true');
    status.textContent = `${words.badVariables} ${e.message}`;
    return null;
  }
};

const history = new History(part('history'), words, (kept) => { replace(kept.query); variables.value = kept.variables; });
let running = null;
const run = async () => {
  const body = request();
  if (!body) return;
  running?.abort();
  const mine = running = new AbortController();
  status.textContent = words.running;
  const started = performance.now();
  try {
    const answer = await post(body, mine.signal);
    const text = await answer.text();
    const ms = Math.round(performance.now() - started);
    const id = answer.headers.get('X-Request-Id');
    status.textContent = `${answer.status}, ${ms} ms, ${text.length.toLocaleString(document.documentElement.lang)} ${words.characters}${id ? `, ${id}` : ''}`;
    try { result.textContent = JSON.stringify(JSON.parse(text), null, 2); } catch { result.textContent = text; }
    history.add({ query: body.query, variables: variables.value });
  } catch (e) {
    if (e.name !== 'AbortError') status.textContent = words.failed;
  }
};
const tidy = () => { try { replace(print(parse(query()))); } catch (e) { status.textContent = e.message; } };
const copy = async (text) => {
  try { await navigator.clipboard.writeText(text); say(words.copied); } catch { status.textContent = text; }
};
root.addEventListener('click', (e) => {
  const action = e.target.closest('[data-do]')?.dataset.do;
  if (action === 'run') run();
  if (action === 'tidy') tidy();
  if (action === 'curl') {
    const body = request();
    if (body) copy(curl(new URL(words.endpoint, location.href), body));
  }
});
variables.addEventListener('keydown', (e) => { if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) { e.preventDefault(); run(); } });

// --- schema -----------------------------------------------------------------------------
const docs = part('docs');
try {
  const answer = await post({ query: getIntrospectionQuery({ inputValueDeprecation: true }) });
  const { data, errors } = await answer.json();
  if (!data) throw new Error(errors?.[0]?.message ?? answer.status);
  const schema = buildClientSchema(data);
  updateSchema(editor, schema);
  browse(docs, part('find'), schema, words, (text) => {
    editor.dispatch(editor.state.replaceSelection(text));
    editor.focus();
  });
} catch (e) {
  docs.textContent = `${words.noSchema} ${e.message}`;
}
