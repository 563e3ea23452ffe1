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

// --- forms and requests -----------------------------------------------------------------
// A form is sent once, however often its button is pressed.
document.addEventListener('submit', (e) => {
  if (e.defaultPrevented || e.target.method === 'get') return;
  setTimeout(() => $$('button[type=submit]', e.target).forEach((b) => { b.disabled = true; }));
});
addEventListener('pageshow', (e) => { if (e.persisted) $$('form button[type=submit]').forEach((b) => { b.disabled = false; }); });

// 409 and 422 bring a fragment that says what is wrong; any other failure is said here.
document.addEventListener('htmx:response:error', (e) => {
  const { response } = e.detail.ctx;
  if (response.status === 409 || response.status === 422) return;
  const id = response.headers.get('X-Request-Id');
  toast(`${toasts.dataset.failed}${id ? ` (${id})` : ''}`, { tone: 'bad' });
});
document.addEventListener('htmx:error', (e) => { if (e.detail.error instanceof TypeError) toast(toasts.dataset.offline, { tone: 'bad' }); });

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
