// What was run in this tab, latest first. Only questions are kept, never answers, and
// they end with the tab.
const STORE = 'steward.explorer';
const MOST = 30;

export class History {
  constructor(list, words, choose) {
    this.list = list;
    this.words = words;
    this.kept = [];
    try { this.kept = JSON.parse(sessionStorage.getItem(STORE)) ?? []; } catch { /* storage is off or was meddled with */ }
    list.addEventListener('click', (e) => {
      const at = e.target.closest('[data-at]');
      if (!at) return;
      choose(this.kept[Number(at.dataset.at)]);
      list.hidePopover();
    });
    this.show();
  }

  add(entry) {
    this.kept = [entry, ...this.kept.filter((k) => k.query !== entry.query || k.variables !== entry.variables)].slice(0, MOST);
    try { sessionStorage.setItem(STORE, JSON.stringify(this.kept)); } catch { /* storage is off or full: the list lasts as long as the page */ }
    this.show();
  }

  show() {
    this.list.replaceChildren(...(this.kept.length ? this.kept.map((k, i) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.dataset.at = i;
      button.textContent = k.query.replace(/#.*$/gm, '').replace(/\s+/g, ' ').trim().slice(0, 70);
      return button;
    }) : [Object.assign(document.createElement('p'), { className: 'mvh', textContent: this.words.noHistory })]));
  }
}
