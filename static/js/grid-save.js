// Saving for the budget grid: what changed is sent together shortly after the last change, one
// request at a time, each with the versions the person saw. A request without an answer is sent
// again under the same key, so that nothing is written twice. Cells that somebody else changed
// are put to the person; cells the server refuses say why. When the session has ended, unsaved
// cells are kept in this tab while the person signs in again, and are then saved.
import { fromPlain, toPlain } from './amount.js';

const $ = (selector, root = document) => root.querySelector(selector);
const WAIT = 600; // milliseconds after the last change
const MOST = 2000; // cells in a request
const HOUR = 3600000;
const kept = () => `kept-cells:${location.pathname}`; // app.js drops these at sign-out
const user = () => document.getElementById('kept')?.dataset.user;
const el = (tag, props = {}, ...children) => {
  const e = Object.assign(document.createElement(tag), props);
  e.append(...children);
  return e;
};

export class Saver {
  #open = new Map(); // cell -> what the server has, for cells that are to be saved

  #versions = new Map(); // line|period -> version

  #sent = null; // the request under way: { id, cells, body }

  #timer = 0;

  #tries = 0;

  #typing = false;

  #clash = false;

  #note = '';

  #signIn = ''; // where to sign in again, once the session has ended

  #leaving = false;

  constructor(grid) {
    this.grid = grid;
    addEventListener('beforeunload', (e) => { if (!this.#leaving && (this.#open.size || this.#sent || this.#typing)) e.preventDefault(); });
    document.addEventListener('visibilitychange', () => { if (document.hidden && this.#open.size) this.flush(); });
    addEventListener('online', () => { if (this.#sent || this.#open.size) this.flush(); });
  }

  editing(on) { this.#typing = on; }

  add(cell, before) { if (!this.#open.has(cell)) this.#open.set(cell, before); }

  // later saves in a moment; note is said with an offer to undo once it is saved.
  later(note) {
    if (note) this.#note = note;
    this.state('busy', 'saving');
    this.#again(WAIT);
  }

  #again(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), ms);
  }

  state(tone, key, args, text) {
    const box = $('#g-save', this.grid);
    box.className = `save ${tone}`;
    $('span', box).textContent = text ?? this.grid.word(key, args);
    $('[data-act=retry]', this.grid).hidden = tone !== 'bad';
  }

  version(cell) {
    const [line, period] = cell.split('|');
    const k = `${line}|${period}`;
    if (!this.#versions.has(k)) this.#versions.set(k, Number(this.grid.cells.get(cell)?.dataset.n ?? 0));
    return this.#versions.get(k);
  }

  // settle forgets cells that are back at what the server has.
  #settle() {
    for (const [cell, before] of this.#open) {
      const td = this.grid.cells.get(cell);
      if (!td || this.grid.value(td) !== before) continue;
      this.#open.delete(cell);
      this.grid.mark(td, '');
      td.classList.remove('dirty');
    }
  }

  async flush() {
    clearTimeout(this.#timer);
    if (this.#sent?.busy || this.#clash) return;
    if (!this.#sent) {
      this.#settle();
      const cells = [...this.#open.keys()].filter((c) => !this.grid.cells.get(c)?.dataset.bad).slice(0, MOST);
      if (!cells.length) { if (!this.#open.size) this.state('ok', 'saved'); return; }
      const body = JSON.stringify({
        cells: cells.map((c) => {
          const [lineId, period, field] = c.split('|');
          return { lineId, period, field, amount: toPlain(this.grid.value(this.grid.cells.get(c))), version: this.version(c) };
        }),
      });
      this.#sent = { id: crypto.randomUUID(), cells, body, values: cells.map((c) => this.grid.value(this.grid.cells.get(c))) };
    }
    const sent = this.#sent;
    sent.busy = true;
    this.state('busy', 'saving');
    let answer;
    let data = {};
    try {
      answer = await fetch(this.grid.dataset.save, {
        method: 'PATCH', body: sent.body, keepalive: sent.body.length < 60000,
        headers: { 'Content-Type': 'application/json', 'Idempotency-Key': sent.id, 'HX-Request': 'true' },
      });
      if (answer.headers.get('Content-Type')?.includes('json')) data = await answer.json();
      if (answer.status === 429 || answer.status >= 500) throw new Error(answer.status);
    } catch {
      sent.busy = false;
      this.#tries += 1;
      this.state('bad', 'retrying');
      this.#again(Math.min(30000, 1000 * 2 ** this.#tries));
      return;
    }
    this.#tries = 0;
    this.#sent = null;
    if (answer.status === 200) this.#saved(sent, data);
    else if (answer.status === 401) this.#signedOut(answer.headers.get('HX-Redirect'));
    else if (data.clashes) await this.#conflict(sent, data.clashes);
    else this.#refused(sent, data);
  }

  #signedOut(to) {
    this.#signIn = to ?? '/sign-in';
    this.state('bad', 'signed_out');
    $('[data-act=signin]', this.grid).hidden = false; // until something is saved
  }

  // signIn leaves for the sign-in. It comes back to this page, with the groups open whose cells wait.
  signIn() {
    const to = new URL(this.#signIn, location.href);
    const back = new URL(to.searchParams.get('return') ?? '/', location.href);
    const cells = [];
    for (const cell of this.#open.keys()) {
      const td = this.grid.cells.get(cell);
      if (!td) continue;
      cells.push([cell, toPlain(this.grid.value(td)), this.version(cell)]);
      const group = td.closest('tbody').id.slice(2);
      if (!back.searchParams.getAll('open').includes(group)) back.searchParams.append('open', group);
    }
    to.searchParams.set('return', back.pathname + back.search);
    sessionStorage.setItem(kept(), JSON.stringify({ user: user(), at: Date.now(), cells }));
    this.#leaving = true;
    location.href = to;
  }

  // putBack takes up what was kept by signIn. Each cell is sent with the version the person saw, so
  // that a change made meanwhile is put to them.
  putBack() {
    const was = JSON.parse(sessionStorage.getItem(kept()));
    sessionStorage.removeItem(kept());
    if (was?.user !== user() || Date.now() - was.at > HOUR) return;
    const { grid } = this;
    const put = was.cells.filter(([cell]) => grid.cells.has(cell)).map(([cell, amount, version]) => {
      const td = grid.cells.get(cell);
      this.#versions.set(cell.split('|').slice(0, 2).join('|'), version);
      this.#open.set(cell, grid.value(td));
      grid.put(td, fromPlain(amount));
      td.classList.add('dirty');
      return td;
    });
    const text = put.length < was.cells.length ? grid.word('kept_some', { n: was.cells.length - put.length }) : grid.word('kept');
    document.dispatchEvent(new CustomEvent('steward:toast', { detail: { text, tone: put.length < was.cells.length ? 'bad' : '' } }));
    if (!put.length) return;
    grid.totals(put);
    this.later();
  }

  #saved(sent, data) {
    const { grid } = this;
    $('[data-act=signin]', grid).hidden = true;
    sent.cells.forEach((c, i) => {
      const td = grid.cells.get(c);
      if (td && grid.value(td) !== sent.values[i]) { this.#open.set(c, sent.values[i]); return; } // changed again while it was sent
      this.#open.delete(c);
      td?.classList.remove('dirty');
    });
    this.take(data.lines);
    const n = sent.cells.length;
    if (this.#open.size) this.#again(WAIT);
    else this.state('ok', n === 1 ? 'saved_one' : 'saved_many', { n });
    if (this.#note && data.undo) {
      const token = data.undo;
      document.dispatchEvent(new CustomEvent('steward:toast', { detail: { text: this.#note, action: grid.word('undo'), run: () => this.#takeBack(token) } }));
    }
    this.#note = '';
  }

  // take puts what the server says into the cells that the person has not changed since.
  take(lines) {
    const { grid } = this;
    const touched = [];
    const put = (cell, amount) => {
      const td = grid.cells.get(cell);
      if (!td || this.#open.has(cell) || grid.value(td) === amount) return;
      grid.put(td, amount);
      touched.push(td);
    };
    for (const line of lines ?? []) {
      for (const c of line.cells) {
        this.#versions.set(`${line.id}|${c.period}`, c.version);
        const shown = grid.cells.get(`${line.id}|${c.period}|FORECAST`);
        if (!shown?.matches('.ac')) put(`${line.id}|${c.period}|FORECAST`, fromPlain(c.forecast));
        put(`${line.id}|${c.period}|PLANNED`, fromPlain(c.planned));
      }
    }
    if (touched.length) grid.totals(touched);
  }

  async #takeBack(token) {
    const { grid } = this;
    if (this.#open.size) { grid.act('undo'); return; }
    const answer = await fetch(`${grid.dataset.undo}${token}`, { method: 'POST', headers: { 'HX-Request': 'true' } }).catch(() => null);
    if (answer?.ok) location.reload();
    else document.dispatchEvent(new CustomEvent('steward:toast', { detail: { text: grid.word('undo_failed'), tone: 'bad' } }));
  }

  // refused: fields name cells by their position; without any, all of them are meant. The other
  // cells of the request are sent again without them.
  #refused(sent, data) {
    const { grid } = this;
    const why = data.message ?? grid.word('failed');
    const bad = new Map((data.fields ?? []).map((f) => [Number(f.path.split('.')[1]), f.text]));
    sent.cells.forEach((c, i) => {
      const td = grid.cells.get(c);
      if (td && (bad.size === 0 || bad.has(i))) grid.mark(td, bad.get(i) ?? why);
    });
    const n = bad.size || sent.cells.length;
    this.state('bad', '', {}, `${grid.word(n === 1 ? 'refused_one' : 'refused_many', { n })} ${bad.size ? [...bad.values()][0] : why}`);
    grid.say($('#g-save span', grid).textContent);
    if (bad.size && bad.size < sent.cells.length) this.#again(WAIT);
  }

  // conflict asks, for each cell that somebody else changed, whose figure stays.
  async #conflict(sent, clashes) {
    const { grid } = this;
    const rows = [];
    for (const x of clashes) {
      for (const field of ['PLANNED', 'FORECAST']) {
        const cell = `${x.lineId}|${x.period}|${field}`;
        if (!sent.cells.includes(cell)) continue;
        const theirs = fromPlain(field === 'PLANNED' ? x.planned : x.forecast);
        const before = x.before ? fromPlain(field === 'PLANNED' ? x.before.planned : x.before.forecast) : this.#open.get(cell) ?? null;
        rows.push({ cell, x, theirs, before, mine: grid.value(grid.cells.get(cell)) });
      }
    }
    const dialog = $('#g-conflict', grid);
    const show = (a) => grid.format(a) || '–';
    const choice = (i, value, text, on) => {
      const input = el('input', { type: 'radio', name: `clash-${i}`, value, checked: on });
      return el('label', { className: 'check' }, input, el('span', { textContent: text }));
    };
    $('#gc-body', dialog).replaceChildren(...rows.map((r, i) => {
      const label = grid.label(grid.cells.get(r.cell));
      const theirs = el('td', {}, choice(i, 'theirs', show(r.theirs), true), el('small', { textContent: grid.word('changed_by', { who: r.x.by, when: r.x.at }) }));
      const mine = el('td', {}, choice(i, 'mine', show(r.mine), false));
      theirs.querySelector('input').setAttribute('aria-label', `${label}: ${grid.word('theirs')} ${show(r.theirs)}`);
      mine.querySelector('input').setAttribute('aria-label', `${label}: ${grid.word('mine')} ${show(r.mine)}`);
      return el('tr', {}, el('th', { scope: 'row', textContent: label }), el('td', { className: 'num', textContent: show(r.before) }), theirs, mine);
    }));
    this.#clash = true;
    this.state('bad', 'conflict');
    const answer = await grid.ask(dialog);
    this.#clash = false;
    if (answer === '') return; // decided later: everything stays as it is, unsaved
    const kept = [];
    rows.forEach((r, i) => {
      const td = grid.cells.get(r.cell);
      this.#versions.set(`${r.x.lineId}|${r.x.period}`, r.x.version);
      const mine = answer === 'mine' || (answer === 'chosen' && dialog.querySelector(`[name="clash-${i}"]:checked`)?.value === 'mine');
      if (mine) { this.#open.set(r.cell, r.theirs); return; }
      this.#open.delete(r.cell);
      grid.put(td, r.theirs);
      td.classList.remove('dirty');
      kept.push(td);
    });
    if (kept.length) grid.totals(kept);
    this.state('busy', 'saving');
    await this.flush();
  }
}
