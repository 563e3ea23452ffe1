// What every page needs beyond HTML and htmx: dialogs, toasts, shortcuts, the
// type-ahead field. No framework, no eval, no inline handlers; pages stay usable
// without it.
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const toasts = $('#toasts');

// --- toasts ---------------------------------------------------------------------------
// A toast leaves after ten seconds, but not while it is pointed at or has the focus.
const leave = (toast) => {
  const gone = () => (toast.matches(':hover, :focus-within') ? setTimeout(gone, 2000) : toast.remove());
  setTimeout(gone, 10000);
};
const toast = (text, { tone = '', action, run } = {}) => {
  const box = document.createElement('div');
  box.className = `toast ${tone}`;
  box.append(text);
  if (action) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = action;
    button.addEventListener('click', () => { run(); box.remove(); });
    box.append(button);
  }
  toasts.append(box);
};
$$('.toast', toasts).forEach(leave);
new MutationObserver((changes) => changes.forEach((c) => c.addedNodes.forEach((n) => n.nodeType === 1 && leave(n)))).observe(toasts, { childList: true });
// Other scripts of a page ask for a toast with this event, so that they need not import one another.
document.addEventListener('steward:toast', (e) => toast(e.detail.text, e.detail));

// --- dialogs --------------------------------------------------------------------------
const open = (id) => {
  const dialog = document.getElementById(id);
  if (dialog && !dialog.open) dialog.showModal();
};
// Fragments open their dialog by carrying data-show.
const showFresh = () => $$('dialog[data-show]').forEach((d) => { d.removeAttribute('data-show'); d.showModal(); });
showFresh();
document.addEventListener('htmx:after:swap', showFresh);
document.addEventListener('close', (e) => { if (e.target.parentNode?.id === 'dialogs') e.target.remove(); }, true);
document.addEventListener('click', (e) => {
  const opener = e.target.closest('[data-open]');
  if (opener) {
    opener.closest('[popover]')?.hidePopover();
    open(opener.dataset.open);
  }
  if (e.target.closest('[data-close]')) e.target.closest('dialog')?.close();
  e.target.closest('[data-dismiss]')?.closest('.toast')?.remove();
});

// --- shortcuts ------------------------------------------------------------------------
document.addEventListener('keydown', (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest('input, textarea, select, [contenteditable], [role=grid], dialog')) return;
  if (e.key === '?') open('keys');
  const search = $('main input[type=search]');
  if (e.key === '/' && search) {
    e.preventDefault();
    search.focus();
  }
});

// --- forms that outlive the session ---------------------------------------------------------
// When a form is sent and the session turns out to have ended, what stands in it is kept in this
// tab while its person signs in again, and is then put back. Nothing is stored at any other
// moment, never a password or a file; it is gone after an hour, at sign-out, and for anybody else.
const KEPT = 'kept:'; // and the path the form is sent to
const HOUR = 3600000;
const note = $('#kept'); // what to say above a form that was filled again, and whose page this is
const UNKEPT = ['password', 'file', 'submit', 'button', 'reset', 'image'];
const ticked = (e) => e.type === 'checkbox' || e.type === 'radio';
const known = (e) => e.id || (ticked(e) ? `${e.name}=${e.value}` : e.name);
const controls = (form) => $$('input, select, textarea', form).filter((e) => known(e) && !UNKEPT.includes(e.type));
const typedInto = (form) => controls(form).some((e) => e.type !== 'hidden');
const keyOf = (form) => KEPT + new URL(form.getAttribute('action') ?? '', location.href).pathname;
const keep = (form) => {
  const fields = controls(form).map((e) => [known(e), ticked(e) ? e.checked : e.value]);
  sessionStorage.setItem(keyOf(form), JSON.stringify({ user: note.dataset.user, at: Date.now(), fields }));
};
const read = (key) => JSON.parse(sessionStorage.getItem(key));
// forget drops what is kept, of forms and of the budget grid: all of it, or what is not for here and now.
const forget = (all) => Object.keys(sessionStorage).filter((k) => k.startsWith('kept')).forEach((k) => {
  const { user, at } = read(k);
  if (all || Date.now() - at > HOUR || (note && user !== note.dataset.user)) sessionStorage.removeItem(k);
});
const putBack = () => {
  for (const form of $$('form[method=post]').filter(typedInto)) {
    const was = note && read(keyOf(form));
    if (!was) continue;
    sessionStorage.removeItem(keyOf(form));
    const values = new Map(was.fields);
    for (const e of controls(form).filter((c) => values.has(known(c)) && !c.readOnly && !c.disabled)) {
      if (ticked(e)) e.checked = values.get(known(e));
      else e.value = values.get(known(e));
    }
    $$('combo-box', form).forEach((box) => { box.kept = box.input.value; });
    form.closest('dialog:not([open])')?.showModal();
    if (form.matches('.inline')) toast(note.content.textContent.trim());
    else form.prepend(note.content.cloneNode(true));
  }
};
document.addEventListener('htmx:after:swap', putBack);

// A form that is answered with a page asks first whether its person is still signed in, and recently
// enough for what it does: with the answer the page, and what was typed, would be gone. Forms of htmx
// hear it from their own answer.
let asking = false;
let passed = null;
document.addEventListener('submit', async (e) => {
  const form = e.target;
  if (form.getAttribute('action') === '/auth/logout') forget(true);
  if (e.defaultPrevented || form.getAttribute('method') !== 'post' || !note || !typedInto(form)) return;
  if (form === passed) {
    passed = null;
    return;
  }
  e.preventDefault();
  if (asking) return;
  asking = true;
  const path = new URL(form.getAttribute('action') ?? '', location.href).pathname;
  const answer = await fetch(`/me/session?for=${encodeURIComponent(path)}`, { headers: { 'HX-Request': 'true' } }).catch(() => null);
  asking = false;
  if (answer?.status === 401) {
    keep(form);
    location.href = answer.headers.get('HX-Redirect') ?? '/sign-in';
    return;
  }
  passed = form;
  form.requestSubmit(e.submitter);
});

// --- forms and requests -----------------------------------------------------------------
// A form is sent once, however often its button is pressed.
document.addEventListener('submit', (e) => {
  if (e.defaultPrevented || e.target.method === 'get') return;
  setTimeout(() => $$('button[type=submit]', e.target).forEach((b) => { b.disabled = true; }));
});
addEventListener('pageshow', (e) => { if (e.persisted) $$('form button[type=submit]').forEach((b) => { b.disabled = false; }); });

// 409 and 422 bring a fragment that says what is wrong, 401 leads to the sign-in; any other failure
// is said here.
document.addEventListener('htmx:response:error', (e) => {
  const { response, sourceElement: form } = e.detail.ctx;
  if (response.status === 401 && note && form.matches('form[method=post]') && typedInto(form)) keep(form);
  if ([401, 409, 422].includes(response.status)) return;
  const id = response.headers.get('X-Request-Id');
  toast(`${toasts.dataset.failed}${id ? ` (${id})` : ''}`, { tone: 'bad' });
});
// What is wrong with a long form stands at its head, its button at the end.
document.addEventListener('htmx:after:swap', (e) => { if (e.detail.ctx.response?.status === 422) $('.banner.bad', e.target)?.scrollIntoView({ block: 'center' }); });
document.addEventListener('htmx:error', (e) => { if (e.detail.error instanceof TypeError) toast(toasts.dataset.offline, { tone: 'bad' }); });

// --- choosing rows of a list ----------------------------------------------------------------
// Without the script the boxes work by themselves; with it there is one for all rows of the page, and
// the number of chosen rows is said. A list may have been replaced since, so everything is looked up anew.
const picks = (list) => $$('tbody .pick input', list);
const countPicks = (list) => {
  const out = $('.picked', list);
  const all = $('.pick-all', list);
  if (!out || !all) return;
  const boxes = picks(list);
  const n = boxes.filter((b) => b.checked).length;
  all.hidden = false;
  all.checked = n > 0 && n === boxes.length;
  all.indeterminate = n > 0 && n < boxes.length;
  out.textContent = n ? out.dataset.picked.replace('#', n) : '';
};
document.addEventListener('change', (e) => {
  const list = e.target.closest('#list');
  if (!list || !e.target.closest('.pick')) return;
  if (e.target.matches('.pick-all')) picks(list).forEach((b) => { b.checked = e.target.checked; });
  countPicks(list);
});
$$('#list').forEach(countPicks);
document.addEventListener('htmx:after:swap', () => $$('#list').forEach(countPicks));

// --- combo-box: choose a record by typing -------------------------------------------------
// The words stand in the visible input, the chosen value in the hidden one. Options are
// rendered by the server from ?q=. Leaving the field without a choice restores the last one.
customElements.define('combo-box', class extends HTMLElement {
  connectedCallback() {
    if (this.list) return;
    [this.value, this.input] = $$('input', this);
    this.list = $('[role=listbox]', this);
    this.status = $('[role=status]', this);
    this.kept = this.input.value;
    this.input.addEventListener('input', () => { clearTimeout(this.timer); this.timer = setTimeout(() => this.search(), 150); });
    this.input.addEventListener('keydown', (e) => this.key(e));
    this.input.addEventListener('blur', () => this.leave());
    this.list.addEventListener('mousedown', (e) => e.preventDefault()); // the input keeps the focus
    this.list.addEventListener('click', (e) => this.choose(e.target.closest('[role=option]')));
  }

  get options() { return $$('[role=option]', this.list); }

  get active() { return this.options.findIndex((o) => o.ariaSelected === 'true'); }

  async search() {
    const asked = this.input.value.trim();
    const url = new URL(this.dataset.search, location.href);
    url.searchParams.set('q', asked);
    let html;
    try {
      const answer = await fetch(url, { headers: { 'HX-Request': 'true' } });
      if (!answer.ok) throw new Error(answer.status);
      html = await answer.text();
    } catch {
      toast(toasts.dataset.failed, { tone: 'bad' });
      return;
    }
    if (asked !== this.input.value.trim() || document.activeElement !== this.input) return;
    this.list.innerHTML = html;
    this.options.forEach((o, i) => { o.id = `${this.list.id}-${i}`; });
    this.status.textContent = this.options.length ? this.dataset.count.replace('#', this.options.length) : this.dataset.none;
    if (this.options.length) this.show();
    else this.hide();
  }

  show() {
    const box = this.input.getBoundingClientRect();
    this.list.showPopover();
    const above = innerHeight - box.bottom < this.list.offsetHeight + 8 && box.top > this.list.offsetHeight;
    const top = above ? box.top - this.list.offsetHeight - 4 : box.bottom + 4;
    Object.assign(this.list.style, { left: `${box.left}px`, top: `${top}px`, width: `${Math.max(box.width, 240)}px` });
    this.input.ariaExpanded = 'true';
    this.mark(0);
  }

  hide() {
    this.list.hidePopover();
    this.input.ariaExpanded = 'false';
    this.input.removeAttribute('aria-activedescendant');
  }

  mark(n) {
    this.options.forEach((o, i) => {
      o.ariaSelected = String(i === n);
      if (i !== n) return;
      this.input.setAttribute('aria-activedescendant', o.id);
      o.scrollIntoView({ block: 'nearest' });
    });
  }

  choose(option) {
    if (!option) return;
    this.value.value = option.dataset.value;
    this.input.value = this.kept = option.dataset.label;
    this.hide();
    this.value.dispatchEvent(new Event('change', { bubbles: true }));
  }

  // An emptied field means no record; any other words without a choice are dropped.
  leave() {
    clearTimeout(this.timer);
    if (this.input.value.trim() === '' && this.kept !== '') {
      this.value.value = this.kept = '';
      this.value.dispatchEvent(new Event('change', { bubbles: true }));
    }
    this.input.value = this.kept;
    this.hide();
  }

  key(e) {
    const shown = this.input.ariaExpanded === 'true';
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (step) {
      e.preventDefault();
      if (!shown) this.search();
      else this.mark((this.active + step + this.options.length) % this.options.length);
    } else if (e.key === 'Enter' && shown) {
      e.preventDefault();
      this.choose(this.options[this.active]);
    } else if (e.key === 'Escape' && shown) {
      e.preventDefault();
      e.stopPropagation();
      this.hide();
    }
  }
});

// Forms can be filled again once their parts work. One that is not on the page is filled when it is
// opened, which is said once.
forget(false);
putBack();
const waiting = note ? Object.keys(sessionStorage).filter((k) => k.startsWith(KEPT) && !read(k).told) : [];
waiting.forEach((k) => sessionStorage.setItem(k, JSON.stringify({ ...read(k), told: true })));
if (waiting.length) toast(note.dataset.waiting);
