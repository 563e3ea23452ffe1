// The budget grid as people use it: typing, pasting, undoing, two people on one cell, French entry,
// the keyboard alone, without script; axe and the content security policy watch.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accessible, chromium, open, quiet, signIn, start } from './lib.mjs';

let steward;
let browser;
let address; // of a plan that Pia can plan

before(async () => {
  steward = await start();
  browser = await chromium();
  const { page, context } = await open(browser);
  await signIn(page, steward.url, 'Pia Portfolio');
  address = await planned(page);
  await context.close();
});
after(async () => { await browser?.close(); await steward?.stop(); });

// planned makes a draft plan with three lines in Pia's portfolio and returns its path.
async function planned(page) {
  await page.goto(`${steward.url}/portfolios`);
  await page.locator('a.rowlink').first().click();
  const portfolio = new URL(page.url()).pathname;
  await page.goto(`${steward.url}${portfolio}/budget`);
  const form = new URL(await page.getByRole('link', { name: 'New plan' }).getAttribute('href'), page.url());
  form.searchParams.set('name', 'Journey plan');
  await page.goto(form.toString());
  await page.locator('main form').filter({ has: page.locator('[name=name]') }).locator('button[type=submit]').last().click();
  await page.getByRole('heading', { level: 1, name: 'Journey plan' }).waitFor();
  const path = new URL(page.url()).pathname;
  for (const name of ['Salaries', 'Hosting', 'Licences']) {
    await page.getByRole('button', { name: 'Add a line' }).first().click();
    await page.locator('#new-line [name=name]').fill(name);
    await page.locator('#new-line').getByRole('button', { name: 'Add a line' }).click();
    await page.locator('tr[data-row]', { hasText: name }).first().waitFor();
  }
  return path;
}

const cell = (page, line, x) => page.locator('tr[data-row]', { hasText: line }).first().locator('td.c').nth(x);
const foot = (page) => page.locator('tfoot td.tt').first();
const saved = (page) => page.locator('#g-save.ok:not(:has-text("All changes saved"))').waitFor();
const type = async (page, line, x, text, key = 'Enter') => { await cell(page, line, x).click(); await page.keyboard.type(text); await page.keyboard.press(key); };
// paste puts a text on the clipboard's event, as a spreadsheet's copy does.
const paste = (page, text) => page.evaluate((t) => {
  const data = new DataTransfer();
  data.setData('text/plain', t);
  document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
}, text);
const texts = (page, line, n = 12) => page.locator('tr[data-row]', { hasText: line }).first().locator('td.c').evaluateAll((l, k) => l.slice(0, k).map((c) => c.textContent), n);

test('three cells are typed, saved together and still there after a reload', async () => {
  const { page, seen, context } = await open(browser);
  await signIn(page, steward.url, 'Pia Portfolio');
  await page.goto(`${steward.url}${address}?show=plan`);
  const batches = [];
  page.on('request', (r) => { if (r.method() === 'PATCH') batches.push(JSON.parse(r.postData()).cells.length); });
  await type(page, 'Salaries', 0, '12.5k', 'Tab');
  await page.keyboard.type('12,500');
  await page.keyboard.press('Tab');
  await page.keyboard.type('=10000*1.05');
  await page.keyboard.press('Enter');
  assert.equal(await cell(page, 'Salaries', 0).getAttribute('class').then((c) => c.includes('dirty')), true, 'unsaved cells carry a dot');
  await saved(page);
  assert.deepEqual(batches, [3], 'one request for what was typed in one go');
  assert.equal(await foot(page).textContent(), '35,500');
  await page.reload();
  assert.deepEqual(await texts(page, 'Salaries', 3), ['12,500', '12,500', '10,500']);
  assert.equal(await foot(page).textContent(), '35,500');
  await type(page, 'Salaries', 0, '+10%');
  assert.equal(await cell(page, 'Salaries', 0).textContent(), '13,750');
  await cell(page, 'Salaries', 1).click();
  await page.keyboard.press('Delete');
  await saved(page);
  await page.reload();
  assert.deepEqual(await texts(page, 'Salaries', 3), ['13,750', '', '10,500']);
  await cell(page, 'Salaries', 3).click();
  await page.keyboard.type('1x');
  await page.keyboard.press('Enter');
  assert.match(await page.locator('#g-hist').textContent(), /is not a number/);
  await page.keyboard.press('Escape');
  assert.equal(await cell(page, 'Salaries', 3).textContent(), '');
  await accessible(page, 'the grid');
  quiet(seen);
  await context.close();
});

test('a block is pasted, taken back as one step, and doubtful cells are shown first', async () => {
  const { page, seen, context } = await open(browser);
  await signIn(page, steward.url, 'Pia Portfolio');
  await page.goto(`${steward.url}${address}?show=plan`);
  await cell(page, 'Hosting', 0).click();
  await paste(page, '1,000\t2,000\t(300)\n4k\t"5,000.50"\t-\n');
  assert.deepEqual(await texts(page, 'Hosting', 3), ['1,000', '2,000', '-300']);
  assert.deepEqual(await texts(page, 'Licences', 3), ['4,000', '5,000.50', '0']);
  await saved(page);
  await page.locator('.toast', { hasText: '6 values pasted' }).waitFor();
  await cell(page, 'Hosting', 0).click();
  await page.keyboard.press('Control+z');
  assert.deepEqual(await texts(page, 'Hosting', 3), ['', '', '']);
  await saved(page);
  await page.keyboard.press('Control+y');
  await saved(page);
  await page.reload();
  assert.deepEqual(await texts(page, 'Licences', 3), ['4,000', '5,000.50', '0']);

  await cell(page, 'Licences', 4).click();
  await paste(page, '10\tabc\t€30\n');
  const dialog = page.locator('#g-paste');
  await dialog.waitFor();
  assert.match(await dialog.textContent(), /will be written: 1/);
  assert.match(await dialog.textContent(), /“abc” is not a number/);
  assert.match(await dialog.textContent(), /“€30” is in another currency/);
  await accessible(page, 'the paste preview');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  assert.equal(await cell(page, 'Licences', 4).textContent(), '');
  await paste(page, '10\tabc\n');
  await dialog.getByRole('button', { name: 'Paste values' }).click();
  await page.locator('#g-save.ok', { hasText: 'Change saved' }).waitFor();
  assert.equal(await cell(page, 'Licences', 4).textContent(), '10');
  quiet(seen);
  await context.close();
});

test('the server takes a paste back from its toast', async () => {
  const { page, seen, context } = await open(browser);
  await signIn(page, steward.url, 'Pia Portfolio');
  await page.goto(`${steward.url}${address}?show=plan`);
  await cell(page, 'Salaries', 8).click();
  await paste(page, '1\t2\n');
  const toast = page.locator('.toast', { hasText: '2 values pasted' });
  await toast.waitFor();
  await Promise.all([page.waitForEvent('load'), toast.getByRole('button', { name: 'Undo' }).click()]);
  assert.equal(await cell(page, 'Salaries', 8).textContent(), '');
  quiet(seen);
  await context.close();
});

test('two people on one cell choose whose figure stays', async () => {
  const one = await open(browser);
  const two = await open(browser);
  for (const x of [one, two]) {
    await signIn(x.page, steward.url, 'Pia Portfolio');
    await x.page.goto(`${steward.url}${address}?show=plan`);
  }
  await type(one.page, 'Hosting', 6, '700');
  await saved(one.page);
  await type(two.page, 'Hosting', 6, '900', 'Tab');
  await two.page.keyboard.type('55');
  await two.page.keyboard.press('Enter');
  const dialog = two.page.locator('#g-conflict');
  await dialog.waitFor();
  assert.match(await dialog.textContent(), /700/);
  assert.match(await dialog.textContent(), /900/);
  assert.match(await dialog.textContent(), /Pia Portfolio/);
  await accessible(two.page, 'the conflict');
  await dialog.getByRole('radio', { name: /mine 900/ }).check();
  await dialog.getByRole('button', { name: 'Keep as chosen' }).click();
  await saved(two.page);
  await type(one.page, 'Hosting', 6, '111');
  await one.page.locator('#g-conflict').getByRole('button', { name: 'Keep all of theirs' }).click();
  await cell(one.page, 'Hosting', 6).and(one.page.getByText('900', { exact: true })).waitFor();
  await one.page.reload();
  assert.deepEqual((await texts(one.page, 'Hosting', 8)).slice(6), ['900', '55']);
  quiet(one.seen);
  quiet(two.seen);
  await one.context.close();
  await two.context.close();
});

test('French people type and read French numbers', async () => {
  const { page, seen, context } = await open(browser, { locale: 'fr-CA' });
  await signIn(page, steward.url, 'Pia Portfolio');
  if (await page.locator('html').getAttribute('lang') !== 'fr-CA') await page.locator('form.lang button').first().click();
  await page.locator('html[lang=fr-CA]').waitFor();
  await page.goto(`${steward.url}${address}?show=plan`);
  await type(page, 'Salaries', 10, '12 500,50');
  assert.equal(await cell(page, 'Salaries', 10).textContent(), '12\u00a0500,50');
  await type(page, 'Salaries', 11, '12,500');
  assert.equal(await cell(page, 'Salaries', 11).textContent(), '12,50');
  await type(page, 'Licences', 10, '=18 000*1,05');
  assert.equal(await cell(page, 'Licences', 10).textContent(), '18\u00a0900');
  await page.locator('#g-save.ok', { hasText: 'enregistrés' }).waitFor();
  await page.reload();
  assert.equal(await cell(page, 'Salaries', 10).textContent(), '12\u00a0500,50');
  await accessible(page, 'the grid in French');
  quiet(seen);
  await context.close();
});

test('the keyboard reaches everything', async () => {
  const { page, seen, context } = await open(browser);
  await signIn(page, steward.url, 'Pia Portfolio');
  await page.goto(`${steward.url}${address}?show=plan`);
  const at = () => page.locator('#g-addr').textContent();
  assert.equal(await page.locator('.bgrid td[tabindex="0"]').count(), 1, 'one cell is in the tab order');
  await page.locator('.bgrid td[tabindex="0"]').focus();
  await page.keyboard.press('Control+Home');
  await page.keyboard.press('ArrowDown');
  assert.match(await at(), /Salaries.*Apr/);
  await page.keyboard.press('End');
  assert.match(await at(), /Variance/);
  await page.keyboard.press('Home');
  await page.keyboard.press('Control+ArrowRight');
  assert.match(await at(), /Variance/);
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowRight');
  assert.match(await at(), /May/);
  await type(page, 'Salaries', 4, '100');
  await cell(page, 'Salaries', 4).click();
  await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('Shift+ArrowRight');
  assert.match(await page.locator('#g-sel').textContent(), /3 cells · sum 100 · average 100/);
  await page.keyboard.press('Control+r');
  assert.deepEqual((await texts(page, 'Salaries', 7)).slice(4), ['100', '100', '100']);
  await cell(page, 'Salaries', 4).click();
  await page.keyboard.press('Shift+ArrowDown');
  await page.keyboard.press('Control+d');
  assert.equal(await cell(page, 'Hosting', 4).textContent(), '100');
  await page.keyboard.press('F2');
  assert.equal(await page.locator('.ced').inputValue(), '100');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+a');
  assert.match(await page.locator('#g-sel').textContent(), /cells/);
  await page.keyboard.press('Control+End');
  assert.match(await at(), /All lines/);
  await saved(page);
  quiet(seen);
  await context.close();
});

test('a lost answer is asked for again and nothing is written twice; leaving asks first', async () => {
  const { page, context } = await open(browser);
  await signIn(page, steward.url, 'Pia Portfolio');
  await page.goto(`${steward.url}${address}?show=plan`);
  const keys = [];
  let lost = 0;
  await page.route('**/budget/cells', async (route) => {
    keys.push(route.request().headers()['idempotency-key']);
    if (lost++ === 0) { await route.fetch(); await route.abort(); } else await route.continue();
  });
  await type(page, 'Licences', 8, '77');
  await page.locator('#g-save.bad', { hasText: 'Not saved, trying again' }).waitFor();
  let asked = 0;
  page.on('dialog', async (d) => { asked += 1; await d.dismiss(); });
  await page.evaluate(() => { location.href = '/'; }).catch(() => {});
  await page.waitForTimeout(300);
  assert.equal(asked, 1, 'leaving with unsaved cells asks');
  await saved(page);
  assert.equal(new Set(keys).size, 1, 'the same key');
  assert.equal(keys.length, 2);
  await page.reload();
  assert.equal(await cell(page, 'Licences', 8).textContent(), '77');
  await context.close();
});

test('the pages are clean in both themes and on a phone, and read without script', async () => {
  const portfolio = await (async () => {
    const { page, context } = await open(browser);
    await signIn(page, steward.url, 'Pia Portfolio');
    await page.goto(`${steward.url}${address}`);
    const path = await page.locator('.crumbs a').first().getAttribute('href');
    await context.close();
    return path;
  })();
  for (const options of [{}, { colorScheme: 'dark' }, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }]) {
    const { page, seen, context } = await open(browser, options);
    await signIn(page, steward.url, 'Pia Portfolio');
    // axe takes half a minute for the large grid, so that one is looked at once
    const paths = [portfolio, `${portfolio}/budget/lines?fy=2031`, address, `${address}?show=all`];
    if (!Object.keys(options).length) paths.push(`${portfolio}/budget`);
    await page.goto(`${steward.url}${portfolio}`);
    const product = page.locator('#products a.rowlink').first();
    if (await product.count()) paths.push(await product.getAttribute('href'));
    await page.goto(`${steward.url}${address}`);
    paths.push(await page.locator('tr[data-row] th a').first().getAttribute('href'));
    for (const path of paths) {
      await page.goto(`${steward.url}${path}`);
      await accessible(page, `${path} ${JSON.stringify(options)}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(wide <= 0, `${path} scrolls sideways by ${wide}`);
    }
    quiet(seen);
    await context.close();
  }
  const { page, context } = await open(browser, { javaScriptEnabled: false });
  await signIn(page, steward.url, 'Pia Portfolio');
  await page.goto(`${steward.url}${address}`);
  await page.getByRole('link', { name: 'Salaries' }).click();
  await page.locator('input[name^="FORECAST."]').first().fill('1 234,5');
  await page.getByRole('button', { name: 'Save' }).click();
  await context.close();
});

test('cells that the plan no longer takes say why and stay until they are taken back', async () => {
  const { page, seen, context } = await open(browser);
  await signIn(page, steward.url, 'Pia Portfolio');
  await page.goto(`${steward.url}${address}?show=plan`);
  const other = await context.newPage();
  await other.goto(`${steward.url}${address}`);
  await other.getByRole('link', { name: 'Submit' }).click();
  await other.locator('#move-plan').getByRole('button', { name: 'Submit' }).click();
  await other.locator('.steps [aria-current=step]', { hasText: 'Submitted' }).waitFor();
  const before = await cell(page, 'Licences', 11).textContent();
  await type(page, 'Licences', 11, '5');
  await page.locator('td.bad').waitFor();
  assert.match(await page.locator('#g-save').textContent(), /1 cell was not saved/);
  assert.notEqual(await page.locator('td.bad').getAttribute('title'), '');
  await accessible(page, 'a refused cell');
  await cell(page, 'Licences', 11).click();
  await page.keyboard.press('Control+z');
  assert.equal(await cell(page, 'Licences', 11).textContent(), before);
  await page.locator('#g-save.ok', { hasText: 'All changes saved' }).waitFor();
  assert.equal(await page.locator('td.bad, td.dirty').count(), 0);
  await other.getByRole('link', { name: 'Recall' }).click();
  await other.locator('#move-plan').getByRole('button', { name: 'Recall' }).click();
  await other.locator('.steps [aria-current=step]', { hasText: 'Draft' }).waitFor();
  quiet(seen);
  await context.close();
});
