// Every page a role is shown, opened in a browser: it answers, fits its screen, has one heading, breaks no
// rule of accessibility or of the content security policy, in both languages, light and dark, wide and narrow.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accessible, chromium, open, quiet, signIn, start } from './lib.mjs';

let steward;
let browser;
before(async () => {
  steward = await start({ args: ['--rate-reads', '0'] });
  browser = await chromium();
});
after(async () => { await browser?.close(); await steward?.stop(); });

const wide = { width: 1440, height: 900 };
const narrow = { width: 390, height: 844 };

// whole asserts what holds on every page.
async function whole(page, what) {
  assert.equal(await page.locator('h1').count(), 1, `${what} has not one h1`);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(over <= 0, `${what} scrolls sideways by ${over} px`);
  await accessible(page, what);
}

// visit opens each path and looks at it.
async function visit(page, paths, what) {
  for (const path of paths) {
    const answer = await page.goto(steward.url + path);
    assert.equal(answer.status(), 200, `${what}: ${path}`);
    await whole(page, `${what}: ${path}`);
  }
}

// links are the paths of the navigation.
const links = (page) => page.locator('nav a[href^="/"]').evaluateAll((as) => [...new Set(as.map((a) => a.getAttribute('href')))]);

// first is the address of the first row of a list.
async function first(page, list) {
  await page.goto(steward.url + list);
  return page.locator('main table tbody a[href^="/"]').first().evaluate((a) => new URL(a.href).pathname);
}

test('hand-written pages and three kinds of record, in every look', { timeout: 600_000 }, async () => {
  const setting = await open(browser);
  await signIn(setting.page, steward.url, 'Pia Portfolio');
  const contract = await first(setting.page, '/contracts');
  const paths = ['/', '/portfolios/common-components', '/portfolios/common-components/budget', '/products/chefs', '/me',
    '/contracts', contract, `${contract}/edit`, '/procurements', '/vendors/new'];
  const state = await setting.context.storageState();
  await setting.context.close();
  for (const colorScheme of ['light', 'dark']) {
    for (const viewport of [wide, narrow]) {
      for (const lang of ['en', 'fr']) {
        const { context, page, seen } = await open(browser, { colorScheme, viewport, storageState: state });
        await context.addCookies([{ name: 'lang', value: lang, url: steward.url }]);
        await page.goto(steward.url);
        assert.equal(await page.locator('html').getAttribute('lang').then((l) => l.slice(0, 2)), lang);
        await visit(page, paths, `${colorScheme} ${viewport.width} ${lang}`);
        quiet(seen);
        await context.close();
      }
    }
  }
});

test('a refused form leads to its fields by links that a finger can hit', { timeout: 120_000 }, async () => {
  for (const viewport of [wide, narrow]) {
    const { context, page, seen } = await open(browser, { viewport });
    await signIn(page, steward.url, 'Pia Portfolio');
    await page.goto(`${steward.url}/contracts/new`);
    await page.locator('#record-form [name=value]').fill('a lot');
    await page.locator('#record-form').getByRole('button', { name: 'Save' }).click();
    const links = page.locator('#record-form .banner.bad li a');
    await links.first().waitFor();
    assert.ok(await links.count() >= 2, 'several entries are wrong');
    for (const box of await links.evaluateAll((as) => as.map((a) => a.getBoundingClientRect().height))) assert.ok(box >= 24, `a link is ${box} px high`);
    const top = await page.locator('#record-form .banner.bad').evaluate((b) => b.getBoundingClientRect().top);
    assert.ok(top >= 0 && top < viewport.height, `the summary is out of sight, at ${top}`);
    await whole(page, `refused form, ${viewport.width}`);
    await links.first().click();
    assert.match(await page.evaluate(() => location.hash), /^#f-/);
    quiet(seen);
    await context.close();
  }
});

test('every page of the navigation, for each kind of user', { timeout: 600_000 }, async () => {
  for (const name of ['Pia Portfolio', 'Otto Owner', 'Fia Finance', 'Pat Partner', 'Max Executive', 'Ada Admin', 'Aud Auditor', 'Nora Norole']) {
    const { context, page, seen } = await open(browser);
    await signIn(page, steward.url, name);
    await whole(page, `${name}: home`);
    await visit(page, await links(page), name);
    quiet(seen);
    await context.close();
  }
});

test('a list and a form of every registry type', { timeout: 600_000 }, async () => {
  const { context, page, seen } = await open(browser);
  await signIn(page, steward.url, 'Pia Portfolio');
  for (const list of ['organizations', 'portfolios', 'products', 'components', 'capabilities', 'dependencies', 'teams', 'team-memberships', 'people',
    'vendors', 'vendor-contacts', 'contracts', 'contract-terms', 'fiscal-periods', 'budget-plans', 'budget-lines', 'budget-cells', 'initiatives',
    'procurements', 'cycles', 'objectives', 'key-results', 'check-ins', 'environments', 'clients', 'tags', 'custom-fields']) {
    await visit(page, [`/${list}`, await first(page, `/${list}`)], 'Pia');
  }
  quiet(seen);
  await context.close();
});

test('a first visit stays within the budget of bytes and requests', async () => {
  const { context, page } = await open(browser);
  await signIn(page, steward.url, 'Pia Portfolio');
  const cookies = await context.storageState();
  await context.close();
  const fresh = await open(browser, { storageState: cookies });
  const cdp = await fresh.context.newCDPSession(fresh.page);
  await cdp.send('Network.enable');
  let bytes = 0;
  let requests = 0;
  cdp.on('Network.loadingFinished', (e) => { bytes += e.encodedDataLength; requests++; });
  await fresh.page.goto(`${steward.url}/portfolios/common-components`, { waitUntil: 'networkidle' });
  assert.ok(bytes <= 130 * 1024, `a first visit takes ${bytes} bytes`);
  assert.ok(requests <= 9, `a first visit takes ${requests} requests`);
  await fresh.context.close();
});
