// The budget grid: a table of the server made into a spreadsheet. Cells are edited, pasted and
// undone here; totals follow at once; changes are saved together a moment after the last one.
// Without this script the table is read as it is and lines are edited in forms.
import { average, format, fromPlain, parse, Refusal, share, toPlain, whole } from './amount.js';
import { Saver } from './grid-save.js';

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const FEW = 24; // pasted cells that need no preview
const HIGH = 5000000n; // 500.00: a cell further off its plan than this and 5 % is marked
const el = (tag, props = {}, ...children) => {
  const e = Object.assign(document.createElement(tag), props);
  e.append(...children);
  return e;
};
const toast = (text, more) => document.dispatchEvent(new CustomEvent('steward:toast', { detail: { text, ...more } }));
const plus = (a, b) => (a === null ? b : b === null ? a : a + b);
const total = (list) => list.reduce(plus, null);

class BudgetGrid extends (globalThis.HTMLElement ?? Object) {
  #at = null; // the active cell

  #from = null; // the other corner of the selection

  #editor = null;

  #undo = [];

  #redo = [];

  #painted = [];

  connectedCallback() {
    if (this.table) return;
    this.locale = document.documentElement.lang;
    this.words = JSON.parse(this.dataset.words);
    this.periods = this.dataset.periods.split(' ');
    this.table = $('table', this);
    this.table.setAttribute('role', 'grid');
    this.table.setAttribute('aria-multiselectable', 'true');
    this.classList.add('on');
    this.saver = new Saver(this);
    this.index();
    const start = this.grid.flat().find((c) => c.matches('.c.cur:not(.lk)')) ?? this.grid.flat().find((c) => c.matches('.c:not(.lk)')) ?? this.grid[0]?.[0];
    if (start) start.tabIndex = 0;
    this.start = start;
    const box = $('.gscroll', this);
    const now = $('thead th.cur', this.table);
    if (now && now.offsetLeft + now.offsetWidth > box.clientWidth) box.scrollLeft = now.offsetLeft - $('thead .name', this.table).offsetWidth - 8;
    this.table.addEventListener('pointerdown', (e) => this.down(e));
    this.table.addEventListener('click', (e) => this.tap(e));
    this.table.addEventListener('dblclick', (e) => e.target.closest('td.c') && this.begin());
    this.table.addEventListener('focusin', (e) => {
      const c = e.target.closest('td');
      if (this.pos.has(c) && c !== this.#at && !this.#editor) this.select(c);
    });
    this.table.addEventListener('keydown', (e) => this.key(e));
    this.table.addEventListener('copy', (e) => this.copy(e));
    this.table.addEventListener('cut', (e) => this.copy(e) && this.clear());
    this.table.addEventListener('paste', (e) => this.paste(e));
    this.addEventListener('click', (e) => {
      const fold = e.target.closest('[data-fold]');
      if (fold) this.fold(fold, e);
      const act = e.target.closest('[data-act]');
      if (act) this.act(act.dataset.act);
    });
    this.addEventListener('htmx:after:swap', () => { this.index(); this.#at ??= this.start; });
    // Further groups take the place of the link that brought them; the focus goes to the first.
    new MutationObserver((changes) => {
      this.index();
      const [first] = changes.flatMap((c) => [...c.addedNodes]).filter((n) => n.nodeType === 1);
      if (first && document.activeElement === document.body) $('[data-fold]', first)?.focus();
    }).observe(this.table, { childList: true });
    // Leaving the editor moves what stands below the grid, and the button from under the pointer.
    $('[data-act=signin]', this).addEventListener('mousedown', (e) => e.preventDefault());
    const field = $('#g-val', this);
    field.addEventListener('keydown', (e) => {
      if (e.key === 'Enter' && this.#at) {
        e.preventDefault();
        if (this.commit(field.value, field)) this.move(1, 0);
      }
      if (e.key === 'Escape') { this.show(); this.#at?.focus(); }
    });
    $('.gtools', this).hidden = false;
    $('.fbar', this).hidden = false;
    this.saver.putBack();
  }

  word(key, args = {}) { return Object.entries(args).reduce((s, [k, v]) => s.replaceAll(`#${k}`, v), this.words[key] ?? key); }

  say(text) { $('#g-live', this).textContent = text; }

  format(a) { return format(a, this.locale); }

  // --- what stands where ------------------------------------------------------------------
  // grid[y][x] is the cell over column x of row y; a cell over several columns stands in each.
  index() {
    this.grid = [];
    this.pos = new Map();
    this.cells = new Map();
    for (const tr of $$('tbody tr, tfoot tr', this.table)) {
      const row = [];
      for (const td of tr.children) {
        if (td.tagName !== 'TD' || td.matches('.prd, .sp')) continue;
        for (let i = 0; i < td.colSpan; i += 1) row.push(td);
        if (tr.dataset.row && td.matches('.c')) this.cells.set(this.name(td, row.length - td.colSpan), td);
      }
      tr.row = row;
      if (tr.hidden || !row.length) continue;
      const y = this.grid.push(row) - 1;
      row.forEach((td, x) => { if (!this.pos.has(td)) this.pos.set(td, [y, x]); });
    }
    $$('td.lk', this.table).forEach((td) => td.setAttribute('aria-readonly', 'true'));
    this.heads = $$('thead tr:last-child th', this.table).slice(-Math.max(0, ...this.grid.map((r) => r.length)));
  }

  name(td, x) { const tr = td.parentNode; return `${tr.dataset.row}|${this.periods[x]}|${tr.dataset.f}`; }

  key3(td) { return this.name(td, td.parentNode.row.indexOf(td)); }

  value(td) {
    if (td.amount === undefined) td.amount = fromPlain(td.dataset.v);
    return td.amount;
  }

  compared(td) { return fromPlain(td.dataset.p); }

  currency(td) { return td.closest('tbody')?.dataset.cur ?? td.parentNode.dataset.cur; }

  editable(td) { return !!td?.matches('td.c:not(.lk)'); }

  lineName(tr) { return tr.dataset.row ? $(`[data-name="${tr.dataset.row}"]`, this.table).textContent.trim() : $('th', tr).innerText.split('\n')[0].trim(); }

  label(td) {
    const tr = td.parentNode;
    const x = tr.row.indexOf(td);
    const last = x + td.colSpan - 1;
    const head = (i) => this.heads[i]?.textContent.trim() ?? '';
    const group = tr.dataset.row && $('.grp [data-title]', tr.parentNode)?.textContent.trim();
    return [group, this.lineName(tr), $('th.fig', tr)?.textContent.trim(), last > x ? `${head(x)} – ${head(last)}` : head(x)].filter(Boolean).join(', ');
  }

  // --- selection --------------------------------------------------------------------------
  select(td, extend) {
    if (!this.pos.has(td)) return;
    (this.#at ?? this.start)?.removeAttribute('tabindex');
    if (!extend || !this.#from) this.#from = td;
    this.#at = td;
    td.tabIndex = 0;
    td.focus({ preventScroll: true });
    this.reveal(td);
    this.paint();
    this.show();
  }

  // The sticky head, foot and first column must not cover the active cell.
  reveal(td) {
    const box = $('.gscroll', this);
    const r = td.getBoundingClientRect();
    const b = box.getBoundingClientRect();
    const left = b.left + $('thead .name', this.table).offsetWidth;
    const top = b.top + $('thead', this.table).offsetHeight;
    const bottom = b.bottom - (td.closest('tfoot') ? 0 : $('tfoot', this.table)?.offsetHeight ?? 0);
    if (r.left < left) box.scrollLeft -= left - r.left;
    else if (r.right > b.right) box.scrollLeft += Math.min(r.right - b.right + 4, r.left - left);
    if (td.closest('tfoot')) return;
    if (r.top < top) box.scrollTop -= top - r.top;
    else if (r.bottom > bottom) box.scrollTop += r.bottom - bottom;
    td.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }

  range() {
    if (!this.#at || !this.pos.has(this.#from)) return this.#at ? [this.#at] : [];
    const [y0, x0] = this.pos.get(this.#from);
    const [y1, x1] = this.pos.get(this.#at);
    const out = new Set();
    for (let y = Math.min(y0, y1); y <= Math.max(y0, y1); y += 1) {
      for (let x = Math.min(x0, x1); x <= Math.max(x0, x1); x += 1) if (this.grid[y][x]) out.add(this.grid[y][x]);
    }
    return [...out];
  }

  paint() {
    for (const c of this.#painted) {
      c.classList.remove('sel', 'act', 'hl');
      c.removeAttribute('aria-selected');
    }
    const cells = this.range();
    for (const c of cells) {
      c.classList.add('sel');
      c.ariaSelected = 'true';
    }
    this.#at.classList.add('act');
    const head = this.heads[this.pos.get(this.#at)[1]];
    head?.classList.add('hl');
    this.#painted = [...cells, head].filter(Boolean);
    const filled = cells.filter((c) => this.value(c) !== null);
    const out = $('#g-sel', this);
    out.textContent = '';
    if (cells.length < 2) return;
    const n = format(BigInt(cells.length) * 10000n, this.locale);
    if (!filled.length || new Set(filled.map((c) => this.currency(c))).size > 1) {
      out.textContent = this.word('count', { n });
      return;
    }
    const sum = total(filled.map((c) => this.value(c)));
    out.textContent = this.word('selection', { n, sum: this.format(sum), average: this.format(average(sum, filled.length)) });
  }

  // show tells about the active cell above the grid.
  show() {
    const td = this.#at;
    const field = $('#g-val', this);
    $('#g-addr', this).textContent = this.label(td);
    field.value = this.format(this.value(td));
    field.readOnly = !this.editable(td);
    field.classList.remove('bad');
    const parts = [];
    if (td.dataset.p !== undefined) parts.push(this.word('compared', { value: this.format(this.compared(td)) }));
    if (td.dataset.was !== undefined) parts.push(this.word('was', { value: td.dataset.was || '–' }));
    if (td.matches('.c.lk')) parts.push(this.word(td.matches('.cl') ? 'closed' : 'locked'));
    if (td.dataset.bad) parts.push(td.dataset.bad);
    $('#g-hist', this).textContent = parts.join(' · ');
  }

  move(dy, dx, extend) {
    if (!this.#at) return this.select(this.start);
    let [y, x] = this.pos.get(this.#at);
    const at = this.#at;
    y = Math.max(0, Math.min(this.grid.length - 1, y + dy));
    const row = this.grid[y];
    if (dx > 0) x += at.colSpan - 1;
    x = Math.max(0, Math.min(row.length - 1, x + dx));
    return this.select(row[x], extend);
  }

  down(e) {
    const td = e.target.closest('td');
    if (!this.pos.has(td) || this.#editor?.parentNode === td) return;
    if (e.pointerType === 'touch') return; // scrolls; a tap selects
    e.preventDefault();
    this.select(td, e.shiftKey);
    const over = (m) => {
      const c = document.elementFromPoint(m.clientX, m.clientY)?.closest?.('td');
      if (c !== this.#at && this.pos.has(c)) this.select(c, true);
    };
    const up = () => { removeEventListener('pointermove', over); removeEventListener('pointerup', up); };
    addEventListener('pointermove', over);
    addEventListener('pointerup', up);
  }

  tap(e) {
    const td = e.target.closest('td');
    if (e.pointerType !== 'touch' || !this.pos.has(td) || this.#editor?.parentNode === td) return;
    if (td === this.#at) this.begin();
    else this.select(td);
  }

  key(e) {
    if (this.#editor) return;
    const td = e.target.closest('td');
    if (!this.pos.has(td)) return;
    const ctrl = e.ctrlKey || e.metaKey;
    const far = 1e6;
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageUp: [-10, 0], PageDown: [10, 0], Home: [ctrl ? -far : 0, -far], End: [ctrl ? far : 0, far] }[e.key];
    if (step && !e.altKey) {
      e.preventDefault();
      const n = ctrl && e.key.startsWith('Arrow') ? far : 1;
      this.move(step[0] * n, step[1] * n, e.shiftKey);
      return;
    }
    const act = ctrl && !e.altKey && { z: e.shiftKey ? 'redo' : 'undo', y: 'redo', r: 'right', d: 'down', a: 'all' }[e.key.toLowerCase()];
    if (act) {
      e.preventDefault();
      this.act(act);
      return;
    }
    if (ctrl || e.altKey) return;
    if (e.key === 'Enter' || e.key === 'F2') { e.preventDefault(); this.begin(); }
    else if (e.key === 'Delete' || e.key === 'Backspace') { e.preventDefault(); this.clear(); }
    else if (/^[\d=+\-\u2212.,($€]$/.test(e.key)) { e.preventDefault(); this.begin(e.key); }
  }

  // --- editing ----------------------------------------------------------------------------
  begin(seed) {
    const td = this.#at;
    if (!this.editable(td)) {
      const why = this.word(td?.matches('.c') ? (td.matches('.cl') ? 'closed' : 'locked') : 'computed');
      this.say(why);
      if (td?.matches('.c')) $('#g-hist', this).textContent = why;
      return;
    }
    const before = [...td.childNodes];
    const input = el('input', { className: 'ced', inputMode: 'decimal', autocomplete: 'off', value: seed ?? this.format(this.value(td)) });
    input.setAttribute('aria-label', this.label(td));
    td.replaceChildren(input);
    td.classList.add('edit');
    this.#editor = input;
    this.saver.editing(true);
    input.focus();
    if (!seed) input.select();
    const end = (keep, dy = 0, dx = 0) => {
      if (this.#editor !== input) return;
      if (keep && input.value !== input.defaultValue && !this.commit(input.value, input, before)) return;
      this.leave(td, before);
      if (document.activeElement === document.body || td.contains(document.activeElement)) td.focus({ preventScroll: true });
      if (dy || dx) this.move(dy, dx);
    };
    input.defaultValue = seed === undefined ? input.value : '';
    if (seed !== undefined) input.value = seed;
    input.addEventListener('keydown', (e) => {
      e.stopPropagation();
      if (e.key === 'Enter') { e.preventDefault(); end(true, e.shiftKey ? -1 : 1, 0); }
      else if (e.key === 'Tab') { e.preventDefault(); end(true, 0, e.shiftKey ? -1 : 1); }
      else if (e.key === 'Escape') { e.preventDefault(); end(false); }
    });
    input.addEventListener('paste', (e) => { if (/[\t\n]/.test(e.clipboardData.getData('text/plain').trim())) { end(false); this.paste(e); } else e.stopPropagation(); });
    input.addEventListener('copy', (e) => e.stopPropagation());
    input.addEventListener('cut', (e) => e.stopPropagation());
    input.addEventListener('blur', () => {
      if (this.#editor !== input) return;
      try { parse(input.value, this.rules(td)); end(true); } catch (err) {
        if (!(err instanceof Refusal)) throw err;
        toast(this.word(err.message, { value: input.value }), { tone: 'bad' });
        end(false);
      }
    });
  }

  leave(td, before) {
    this.#editor = null;
    this.saver.editing(false);
    td.classList.remove('edit');
    if ($('.ced', td)) td.replaceChildren(...before);
  }

  rules(td) { return { lang: this.locale, current: this.value(td), currency: this.currency(td) }; }

  // commit reads a text into the active cell; false, and the field says why, when it is no amount.
  commit(text, field, before) {
    const td = this.#at;
    if (!this.editable(td)) return true;
    let amount;
    try { amount = parse(text, this.rules(td)); } catch (err) {
      if (!(err instanceof Refusal)) throw err;
      const why = this.word(err.message, { value: text });
      field.classList.add('bad');
      field.setAttribute('aria-invalid', 'true');
      field.title = why;
      $('#g-hist', this).textContent = why;
      this.say(why);
      return false;
    }
    if (before) this.leave(td, before);
    field.removeAttribute('aria-invalid');
    this.apply([[td, amount]]);
    return true;
  }

  clear() { this.apply(this.range().map((td) => [td, null])); }

  // apply writes amounts into cells, as one step that can be taken back; it returns how many
  // of them changed.
  apply(list, { log = true, note = '' } = {}) {
    const seen = new Set();
    const changes = list.filter(([td, v]) => this.editable(td) && !seen.has(td) && seen.add(td) && this.value(td) !== v)
      .map(([td, v]) => ({ cell: this.key3(td), td, from: this.value(td), to: v }));
    if (!changes.length) return 0;
    for (const { td, from, to, cell } of changes) {
      td.dataset.was = this.format(from);
      this.put(td, to);
      this.mark(td, '');
      td.classList.add('dirty');
      this.saver.add(cell, from);
    }
    if (log) {
      this.#undo.push(changes.map(({ cell, from, to }) => ({ cell, from, to })));
      this.#redo = [];
    }
    this.totals(changes.map((c) => c.td));
    if (this.#at) { this.paint(); this.show(); }
    this.buttons();
    this.saver.later(note && changes.length > 1 ? this.word(note, { n: changes.length }) : '');
    return changes.length;
  }

  put(td, amount) {
    td.amount = amount;
    if (amount === null) delete td.dataset.v;
    else td.dataset.v = toPlain(amount);
    if (!$('.ced', td)) td.textContent = this.format(this.editable(td) ? amount : whole(amount));
    if (!td.matches('.c')) return;
    const plan = this.dataset.show === 'forecast' ? this.compared(td) : null;
    const off = plan === null || amount === null ? 0n : amount - plan;
    const big = (off < 0n ? -off : off) * 20n > (plan < 0n ? -plan : plan ?? 0n);
    td.classList.toggle('hi', big && off >= HIGH);
    td.classList.toggle('lo', big && -off >= HIGH);
  }

  // mark says at a cell why the server refused it; an empty text takes the mark away.
  mark(td, text) {
    td.classList.toggle('bad', text !== '');
    if (text) {
      td.dataset.bad = text;
      td.title = text;
      td.setAttribute('aria-invalid', 'true');
    } else if (td.dataset.bad) {
      delete td.dataset.bad;
      td.removeAttribute('title');
      td.removeAttribute('aria-invalid');
    }
  }

  // --- totals -----------------------------------------------------------------------------
  // Only rows, columns and groups that the cells touch are added up again. A cell over several
  // columns counts in the totals of the year, not in those of a month.
  totals(cells) {
    const lines = new Set(cells.map((td) => td.parentNode.dataset.row));
    const columns = new Set();
    for (const td of cells) if (td.colSpan === 1) columns.add(td.parentNode.row.indexOf(td));
    const bodies = new Set();
    for (const line of lines) {
      const rows = $$(`tr[data-row="${line}"]`, this.table);
      rows.forEach((tr) => this.rowTotal(tr, rows));
      bodies.add(rows[0].parentNode);
    }
    for (const body of bodies) {
      for (const head of $$('tr.grp', body)) {
        const foot = $(`tfoot tr[data-cur="${body.dataset.cur}"][data-f="${head.dataset.f}"]`, this.table);
        this.addUp(head, foot, $$(`tr[data-row][data-f="${head.dataset.f}"]`, body), columns);
      }
    }
  }

  // addUp adds the rows of a group up into its heading. The foot moves by as much, as not every
  // group need be on the page.
  addUp(head, foot, rows, columns) {
    const write = (td, v) => (td.matches('.tv') ? this.vary(td, v) : this.put(td, v));
    const sum = (x) => total(rows.map(({ row }) => (x < this.periods.length && row[x].colSpan > 1 ? null : this.value(row[x]))));
    const totals = head.row.map((td, x) => (td.matches('.tt, .tv') ? x : -1)).filter((x) => x >= 0);
    for (const x of [...columns, ...totals]) {
      const before = this.value(head.row[x]) ?? 0n;
      write(head.row[x], sum(x));
      const more = (this.value(head.row[x]) ?? 0n) - before;
      if (more) write(foot.row[x], (this.value(foot.row[x]) ?? 0n) + more);
    }
  }

  // rowTotal adds a row of a line up; rows are all of that line. A forecast is held against the
  // plan of the year, a plan or what was spent against the other cell by cell.
  rowTotal(tr, rows) {
    const cells = (row) => [...new Set(row.row)].filter((td) => td.matches('.c'));
    const sum = (row) => total([...cells(row).map((td) => this.value(td)), fromPlain($('.tt', row).dataset.o)]);
    const pairs = (a, b) => total(a.map((x, i) => (x === null || b[i] === null ? null : x - b[i])));
    const values = (row) => cells(row).map((td) => this.value(td));
    this.put($('.tt', tr), sum(tr));
    const v = $('.tv', tr);
    const row = (f) => rows.find((x) => x.dataset.f === f);
    const minus = (a, b) => (a === null || b === null ? null : a - b);
    if (this.dataset.show === 'plan') this.vary(v, pairs(cells(tr).map((td) => this.compared(td)), values(tr)));
    else if (this.dataset.show === 'forecast') this.vary(v, minus(sum(tr), fromPlain(v.dataset.p)));
    else if (tr.dataset.f === 'FORECAST') this.vary(v, minus(sum(tr), sum(row('PLANNED'))));
    else if (tr.dataset.f === 'ACTUAL') this.vary(v, pairs(values(tr), values(row('PLANNED'))));
  }

  vary(td, amount) {
    this.put(td, amount);
    td.classList.toggle('over', amount > 0n);
    td.classList.toggle('under', amount < 0n);
    if (!amount) return;
    td.textContent = `${amount > 0n ? '▲' : '▼'} ${this.format(whole(amount < 0n ? -amount : amount))} `;
    td.append(el('small', { textContent: this.word(amount > 0n ? 'over' : 'under') }));
  }

  // --- actions ----------------------------------------------------------------------------
  buttons() {
    $('[data-act=undo]', this).disabled = !this.#undo.length;
    $('[data-act=redo]', this).disabled = !this.#redo.length;
  }

  act(what) {
    const cells = this.range().filter((td) => td.matches('.c'));
    const lines = (list, by) => [...Map.groupBy(list, by).values()];
    switch (what) {
      case 'undo': case 'redo': {
        const [from, to] = what === 'undo' ? [this.#undo, this.#redo] : [this.#redo, this.#undo];
        const step = from.pop();
        if (!step) return;
        to.push(step);
        const list = step.map((c) => [this.cells.get(c.cell), what === 'undo' ? c.from : c.to]).filter(([td]) => td);
        this.apply(list, { log: false });
        if (list[0] && this.pos.has(list[0][0])) { this.#from = list[0][0]; this.select(list[0][0]); }
        this.say(this.word(what === 'undo' ? 'undone' : 'redone', { n: list.length }));
        break;
      }
      case 'all':
        if (!this.grid.length) return;
        this.#from = this.grid[0][0];
        this.select(this.grid.at(-1).at(-1), true);
        return;
      case 'right': {
        const list = cells.length > 1 ? cells : [...new Set(this.#at?.parentNode.row ?? [])].filter((td) => td.matches('.c') && this.pos.get(td)[1] >= this.pos.get(this.#at)[1]);
        this.apply(lines(list, (td) => td.parentNode).flatMap((l) => l.map((td) => [td, this.value(l[0])])), { note: 'filled' });
        break;
      }
      case 'down':
        this.apply(lines(cells, (td) => this.pos.get(td)[1]).flatMap((l) => l.map((td) => [td, this.value(l[0])])), { note: 'filled' });
        break;
      case 'plan':
        this.apply(cells.map((td) => [td, this.compared(td)]), { note: 'filled' });
        break;
      case 'spread': {
        const open = cells.filter((td) => this.editable(td));
        const sum = total(open.map((td) => this.value(td)));
        if (sum === null || open.length < 2) { toast(this.word('spread_none')); return; }
        const parts = share(sum, open.length);
        this.apply(open.map((td, i) => [td, parts[i]]), { note: 'filled' });
        break;
      }
      case 'retry': this.saver.flush(); break;
      case 'signin':
        this.#editor?.blur(); // what is being typed counts
        this.saver.signIn();
        break;
      default: return;
    }
    this.buttons();
  }

  fold(control, e) {
    const body = control.closest('tbody');
    const rows = $$('tr[data-row]', body);
    if (!rows.length && control.matches('a')) return; // htmx brings the rows
    e.preventDefault();
    const open = control.ariaExpanded === 'true';
    control.ariaExpanded = String(!open);
    rows.forEach((tr) => { tr.hidden = open; });
    this.index();
    if (this.#at && !this.pos.has(this.#at)) { this.#at = null; this.#from = null; }
  }

  // --- clipboard --------------------------------------------------------------------------
  copy(e) {
    const cells = this.range();
    if (!cells.length || this.#editor) return false;
    const rows = [...Map.groupBy(cells, (td) => this.pos.get(td)[0]).values()];
    const text = rows.map((r) => r.map((td) => this.format(this.value(td)).replaceAll('\u00a0', ' ')).join('\t')).join('\n');
    e.clipboardData.setData('text/plain', text);
    e.preventDefault();
    this.say(this.word('copied', { n: cells.length }));
    return true;
  }

  async paste(e) {
    if (this.#editor || !this.#at) return;
    e.preventDefault();
    const plan = this.plan(table(e.clipboardData.getData('text/plain')));
    const put = plan.flat().filter((p) => p.state === 'ok');
    if (put.length !== plan.flat().length || put.length > FEW) {
      if (!await this.preview(plan, put)) return;
    }
    const n = this.apply(put.map((p) => [p.td, p.amount]), { note: 'pasted' });
    this.say(this.word('pasted', { n }));
  }

  // plan says for each pasted text which cell takes it and whether it can. One text fills the
  // whole selection; a block starts at the selection's first cell and passes over group rows.
  plan(texts) {
    const cells = this.range();
    const read = (td, text) => {
      const out = { td, text, state: 'ok' };
      if (!td) return { ...out, state: 'outside' };
      if (!td.matches('.c')) return { ...out, state: 'computed' };
      if (!this.editable(td)) return { ...out, state: td.matches('.cl') ? 'closed' : 'locked' };
      try { out.amount = parse(text, this.rules(td)); } catch (err) {
        if (!(err instanceof Refusal)) throw err;
        out.state = err.message;
      }
      return out;
    };
    if (texts.length === 1 && texts[0].length === 1 && cells.length > 1) {
      return [...Map.groupBy(cells.filter((td) => td.matches('.c')), (td) => td.parentNode).values()].map((r) => r.map((td) => read(td, texts[0][0])));
    }
    let [y, x] = this.pos.get(cells[0]);
    for (const td of cells) { const p = this.pos.get(td); y = Math.min(y, p[0]); x = Math.min(x, p[1]); }
    return texts.map((row) => {
      while (this.grid[y] && !this.grid[y][0].parentNode.dataset.row) y += 1;
      const line = this.grid[y] ?? [];
      y += 1;
      let at = x;
      return row.map((text) => {
        const td = line[at];
        at += td ? line.lastIndexOf(td) - at + 1 : 1;
        return read(td, text);
      });
    });
  }

  async preview(plan, put) {
    const dialog = $('#g-paste', this);
    const skipped = Map.groupBy(plan.flat().filter((p) => p.state !== 'ok'), (p) => p.state);
    $('#gp-t', dialog).textContent = this.word('will_write', { n: put.length });
    $('#gp-l', dialog).replaceChildren(...[...skipped].map(([why, list]) => el('li', {},
      this.word('will_skip', { n: list.length, why: this.word(why, { value: list[0].text }) }))));
    const wide = plan.reduce((a, b) => (b.length > a.length ? b : a), []);
    $('#gp-head', dialog).replaceChildren(el('th', { scope: 'col', textContent: this.word('line') }), ...wide.map(({ td }) => el('th', { scope: 'col', className: 'num', textContent: td ? this.heads[this.pos.get(td)[1]]?.textContent.trim() ?? '' : '–' })));
    $('#gp-body', dialog).replaceChildren(...plan.slice(0, 200).map((row) => {
      const line = row.find((p) => p.td)?.td.parentNode;
      return el('tr', {}, el('th', { scope: 'row', textContent: line?.dataset.row ? this.lineName(line) : '–' }), ...row.map((p) => {
        const cell = el('td', { className: `num ${p.state === 'ok' ? '' : p.state === 'closed' || p.state === 'locked' ? 'lock' : 'bad'}`, textContent: p.state === 'ok' ? this.format(p.amount) || '–' : p.text });
        cell.title = p.state === 'ok' ? this.word('was', { value: this.format(this.value(p.td)) || '–' }) : this.word(p.state, { value: p.text });
        return cell;
      }));
    }));
    $('[value=apply]', dialog).disabled = !put.length;
    return (await this.ask(dialog)) === 'apply';
  }

  // ask shows a dialog and returns the value of the button that closed it, "" for Escape.
  ask(dialog) {
    dialog.returnValue = '';
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener('close', () => { this.#at?.focus({ preventScroll: true }); resolve(dialog.returnValue); }, { once: true });
    });
  }
}

// table reads what a spreadsheet puts on the clipboard: rows of cells between tabs; a cell with
// a line break or a tab inside stands in quotes.
export const table = (text) => {
  const rows = [[]];
  const s = text.replace(/\r\n?/g, '\n').replace(/\n$/, '');
  for (let i = 0; ;) {
    let cell = '';
    if (s[i] === '"') {
      for (i += 1; i < s.length && (s[i] !== '"' || s[i + 1] === '"'); i += 1) { if (s[i] === '"') i += 1; cell += s[i]; }
      i += 1;
    }
    while (i < s.length && s[i] !== '\t' && s[i] !== '\n') { cell += s[i]; i += 1; }
    rows.at(-1).push(cell);
    if (i >= s.length) return rows;
    if (s[i] === '\n') rows.push([]);
    i += 1;
  }
};

globalThis.customElements?.define('budget-grid', BudgetGrid);
