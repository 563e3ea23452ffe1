// A budget of 5,040 lines: the page opens folded and small, and is edited like any other. The lines come
// in by the import, their amounts by the grid's own address.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { chromium, open, quiet, root, signIn, start } from './lib.mjs';

const PLANS = 40;
const LINES = 126; // of each plan, in six groups
const ROOM = 6000; // elements of a page, ui.md 6.11
let steward;
let browser;

before(async () => {
  steward = await start({ args: ['--rate-reads', '0'] });
  const rows = (n, row) => Array.from({ length: n }, (_, i) => `${row(i)}\n`).join('');
  take('Portfolio', 'name,fiscal_year_start_month,default_currency\nLarge,4,CAD\n');
  take('Product', `name,portfolio\n${rows(PLANS, (i) => `Large product ${i},Large`)}`);
  take('BudgetPlan', `name,portfolio,product,fiscal_year,currency\n${rows(PLANS, (i) => `Large plan ${i},Large,Large product ${i},2026,CAD`)}`);
  take('BudgetLine', `name,plan,group_name,position\n${rows(PLANS * LINES, (i) => `Large line ${i},Large plan ${i % PLANS},Group ${Math.floor(i / PLANS) % 6},${i}`)}`);
  browser = await chromium();
});
after(async () => { await browser?.close(); await steward?.stop(); });

// take imports rows of one kind, as `steward import csv` does for an operator.
function take(entity, text) {
  const file = path.join(steward.dir, `${entity}.csv`);
  fs.writeFileSync(file, text);
  execFileSync(process.env.STEWARD_BIN ?? path.join(root, 'bin', 'steward'),
    ['import', 'csv', '--set', `entity=${entity}`, '--apply', '--database', `sqlite:${path.join(steward.dir, 'steward.db')}`, file], { cwd: steward.dir, stdio: 'pipe' });
}

test('5,040 lines open folded and can be edited', { timeout: 300_000 }, async (t) => {
  const { page, context, seen } = await open(browser);
  await signIn(page, steward.url, 'Fia Finance');
  await page.goto(`${steward.url}/portfolios?q=Large`);
  const budget = `${await page.getByRole('link', { name: 'Large', exact: true }).getAttribute('href')}/budget`;
  const at = `${steward.url}${budget}?fy=2026`;
  await page.goto(`${at}&show=plan`);
  const ids = await page.evaluate(async () => (await (await fetch('/budget-lines.json?q=Large')).json()).rows.map((l) => l.id));
  assert.equal(ids.length, PLANS * LINES);
  let began = Date.now();
  await page.evaluate(async ([to, lines]) => {
    const cells = lines.flatMap((lineId) => Array.from({ length: 12 }, (_, m) => ({ lineId, period: m < 9 ? `2026-${String(m + 4).padStart(2, '0')}` : `2027-0${m - 8}`, field: 'PLANNED', amount: String(1000 + m), version: 0 })));
    for (let i = 0; i < cells.length; i += 2000) {
      const answer = await fetch(`${to}/cells`, { method: 'PATCH', headers: { 'Content-Type': 'application/json', 'HX-Request': 'true' }, body: JSON.stringify({ cells: cells.slice(i, i + 2000) }) });
      if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    }
  }, [budget, ids]);
  t.diagnostic(`60,480 amounts written in ${Date.now() - began} ms`);

  for (const show of ['plan', 'forecast', 'all']) {
    began = Date.now();
    const answer = await page.goto(`${at}&show=${show}`, { waitUntil: 'commit' });
    await page.locator('budget-grid.on td.c:not(.lk)').first().waitFor({ state: 'attached' });
    const ready = Date.now() - began;
    const size = (await answer.body()).length;
    const nodes = await page.evaluate(() => document.querySelectorAll('*').length);
    const server = await page.evaluate(() => { const n = performance.getEntriesByType('navigation')[0]; return [n.responseStart, n.responseEnd, n.transferSize].map(Math.round); });
    t.diagnostic(`${show}: can be edited after ${ready} ms, ${size} bytes, ${nodes} elements; first byte, last byte, on the wire: ${server}`);
    assert.ok(nodes < ROOM, `${show}: ${nodes} elements`);
    assert.notEqual(await page.locator('a.fold').count(), 0, 'groups are folded');
  }

  await page.goto(`${at}&show=plan`);
  const total = async () => Number((await page.locator('tfoot td.tt').first().textContent()).replace(/\D/g, ''));
  assert.equal(await total(), PLANS * LINES * (12 * 1000 + 66), 'the foot counts what is not on the page');
  const groups = page.locator('tbody[data-cur]');
  for (let n = await groups.count(); n < PLANS * 6; n = await groups.count()) { // the groups that are left
    await page.locator('#g-more a').click();
    await groups.nth(n).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.closest('tbody')?.id), `g-${n}`, 'the focus is at the first of them');
  }
  assert.equal(await page.locator('#g-more').count(), 0);
  const last = page.locator('tbody[data-cur]').last();
  await last.locator('a.fold').click();
  await last.locator('td.c').first().click();
  await page.keyboard.type('2000');
  await page.keyboard.press('Enter');
  await page.locator('#g-save.ok', { hasText: 'Change saved' }).waitFor();
  assert.equal(await total(), PLANS * LINES * (12 * 1000 + 66) + 1000);
  await page.reload();
  assert.equal(await total(), PLANS * LINES * (12 * 1000 + 66) + 1000);
  quiet(seen);
  await context.close();
});
