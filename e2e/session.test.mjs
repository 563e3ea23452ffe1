// What people typed survives the end of their session (SE-3): it is put back into the same form once
// they have signed in again, into nobody else's, and nothing of it stays in the browser.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { accessible, chromium, open, postgres, quiet, root, signIn, start } from './lib.mjs';

let steward;
let browser;
before(async () => {
  steward = await start();
  browser = await chromium();
});
after(async () => { await browser?.close(); await steward?.stop(); });

const note = 'Your entries were kept. Check them and save.';
// stored lists what the browser keeps of this site.
const stored = (page) => page.evaluate(() => [...Object.keys(sessionStorage), ...Object.keys(localStorage)]);
// expire ends the session as the server does: the cookie is still sent and no longer means anything.
async function expire(context) {
  const [cookie] = (await context.cookies()).filter((c) => c.name === 'steward');
  await context.addCookies([{ ...cookie, value: `${cookie.value.slice(0, -4)}gone` }]);
}
// again signs in where the site leads those whose session has ended.
async function again(page, name) {
  await page.waitForURL((u) => u.pathname !== new URL(steward.url).pathname && /^\/(auth|realms|sign-in)/.test(u.pathname));
  await page.getByRole('button', { name }).or(page.getByRole('link', { name })).first().click();
  await page.waitForURL((u) => !/^\/(auth|realms|sign-in)/.test(u.pathname));
}

test('a session that was ended elsewhere: the form is filled again and saved', async () => {
  const { page, context, seen } = await open(browser);
  await signIn(page, steward.url, 'Pia Portfolio');
  await page.goto(`${steward.url}/vendors/new`);
  const typed = { name: 'Kept & “quoted” <b>', name_fr: 'Gardé', note: 'Two lines\nof text' };
  for (const [name, text] of Object.entries(typed)) {
    const field = page.locator(`#record-form [name=${name}]`);
    if (await field.count()) await field.fill(text);
  }
  assert.deepEqual(await stored(page), [], 'nothing is stored while one types');

  const other = await open(browser);
  await signIn(other.page, steward.url, 'Pia Portfolio');
  await other.page.goto(`${steward.url}/me`);
  await other.page.getByRole('button', { name: 'Sign out there' }).first().click();
  await other.page.locator('.toast').first().waitFor();
  await other.context.close();

  await page.locator('#record-form').getByRole('button', { name: 'Save' }).click();
  await again(page, 'Pia Portfolio');
  assert.equal(new URL(page.url()).pathname, '/vendors/new');
  await page.locator('#record-form .banner', { hasText: note }).waitFor();
  assert.equal(await page.locator('#record-form [name=name]').inputValue(), typed.name);
  assert.equal(await page.locator('#record-form [name=note]').inputValue(), typed.note);
  assert.deepEqual(await stored(page), [], 'what was put back is not kept any longer');
  await accessible(page, 'the filled form');
  await page.locator('#record-form').getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { level: 1, name: typed.name }).waitFor();
  quiet(seen);
  await context.close();
});

test('a form that is answered with a page, in a dialog and with chosen records', async () => {
  const { page, context, seen } = await open(browser);
  await signIn(page, steward.url, 'Pia Portfolio');
  // a dialog that a fragment brings: it is filled when it is opened again
  await page.goto(`${steward.url}/budget-plans`);
  const plans = await page.locator('main tbody a[href^="/budget-plans/"]').evaluateAll((as) => as.map((a) => a.getAttribute('href')));
  let submit;
  for (const plan of plans) {
    await page.goto(steward.url + plan);
    submit = page.locator('.pagehead a.btn[hx-get*="/moves/"]').first();
    if (await submit.count()) break;
  }
  const verb = (await submit.textContent()).trim();
  await submit.click();
  await page.locator('#move-plan textarea').fill('As agreed on Tuesday');
  await expire(context);
  await page.locator('#move-plan').getByRole('button', { name: verb }).click();
  await again(page, 'Pia Portfolio');
  await page.locator('.toast', { hasText: 'Open the form again' }).waitFor();
  await page.locator('.pagehead a.btn[hx-get*="/moves/"]').first().click();
  await page.locator('#move-plan .banner', { hasText: note }).waitFor();
  assert.equal(await page.locator('#move-plan textarea').inputValue(), 'As agreed on Tuesday');
  await Promise.all([page.waitForEvent('load'), page.locator('#move-plan').getByRole('button', { name: verb }).click()]);
  await page.locator('.toast', { hasText: 'Done' }).waitFor();
  assert.deepEqual(await stored(page), []);

  // a plain form of the page, in a dialog that the page has closed; and a record chosen by typing
  await page.goto(`${steward.url}/contracts/new`);
  const vendor = page.locator('combo-box').filter({ has: page.locator('[name=vendor_id]') });
  await vendor.locator('input[role=combobox]').fill('o');
  await vendor.locator('[role=option]').first().click();
  const chosen = await vendor.locator('input[role=combobox]').inputValue();
  const id = await vendor.locator('[name=vendor_id]').inputValue();
  await expire(context);
  await page.locator('#record-form').getByRole('button', { name: 'Save' }).click();
  await again(page, 'Pia Portfolio');
  await page.locator('#record-form .banner', { hasText: note }).waitFor();
  assert.equal(await vendor.locator('[name=vendor_id]').inputValue(), id);
  await vendor.locator('input[role=combobox]').focus();
  await page.locator('#record-form [name=name]').focus();
  assert.equal(await vendor.locator('input[role=combobox]').inputValue(), chosen, 'the choice stays when the field is left');
  quiet(seen);
  await context.close();
});

test('what hands out rights asks an old session to prove itself, and what was typed is there afterwards', async () => {
  const database = postgres();
  const server = await start({ database });
  const { page, context, seen } = await open(browser);
  await signIn(page, server.url, 'Pia Portfolio');
  // eleven minutes pass: the sign-in is no longer recent
  const old = () => execFileSync(path.join(root, 'scripts', 'postgres.sh'), ['psql', '-Xqd', new URL(database).pathname.slice(1), '-c', "UPDATE sessions SET auth_time = now() - interval '11 minutes'"]);
  old();
  await page.goto(`${server.url}/me`);
  const form = page.locator('form[action="/me/tokens"]');
  await form.locator('[name=name]').fill('Nightly & “quoted”');
  await form.locator('[name=days]').fill('12');
  await form.locator('[name=roles][value=portfolio-manager]').check();
  await form.locator('[name=portfolios][value="*"]').check();
  await form.getByRole('button', { name: 'Create token' }).click();
  await page.waitForURL((u) => u.pathname.startsWith('/realms/') && u.searchParams.get('max_age') === '0' && u.searchParams.get('prompt') === 'login');
  await page.getByRole('button', { name: 'Pia Portfolio' }).click();
  await page.waitForURL((u) => u.pathname === '/me');
  await form.locator('.banner', { hasText: note }).waitFor();
  assert.equal(await form.locator('[name=name]').inputValue(), 'Nightly & “quoted”');
  assert.equal(await form.locator('[name=days]').inputValue(), '12');
  assert.ok(await form.locator('[name=roles][value=portfolio-manager]').isChecked());
  assert.deepEqual(await stored(page), []);
  await form.getByRole('button', { name: 'Create token' }).click();
  await page.locator('#secret', { hasText: 'stw_' }).waitFor();
  // a form that asks for nothing of the kind is sent as it is
  old();
  await page.goto(`${server.url}/vendors/new`);
  await page.locator('#record-form [name=name]').fill('Old session, new vendor');
  await page.locator('#record-form').getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { level: 1, name: 'Old session, new vendor' }).waitFor();
  quiet(seen);
  await context.close();
  await server.stop();
});

test('entries are put into nobody else’s form, and sign-out drops them', async () => {
  const { page, context, seen } = await open(browser);
  await signIn(page, steward.url, 'Pia Portfolio');
  const type = async (text) => {
    await page.goto(`${steward.url}/vendors/new`);
    await page.locator('#record-form [name=name]').fill(text);
    await expire(context);
    await page.locator('#record-form').getByRole('button', { name: 'Save' }).click();
  };
  await type('Secret of Pia');
  await page.waitForURL((u) => /^\/(auth|realms|sign-in)/.test(u.pathname));
  assert.equal((await stored(page)).length, 1);
  await again(page, 'Vera Vendor');
  await page.locator('#record-form').waitFor();
  assert.equal(await page.locator('#record-form [name=name]').inputValue(), '');
  assert.deepEqual(await stored(page), [], 'and they are gone');

  await context.clearCookies();
  await signIn(page, steward.url, 'Pia Portfolio');
  await type('Half a name');
  await page.waitForURL((u) => /^\/(auth|realms|sign-in)/.test(u.pathname));
  await signIn(page, steward.url, 'Pia Portfolio');
  assert.equal((await stored(page)).length, 1, 'they wait for their form');
  await page.locator('.userbtn').click();
  await page.locator('#pop-user').getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL((u) => /^\/(realms|sign-in)/.test(u.pathname));
  assert.deepEqual(await stored(page), []);
  quiet(seen);
  await context.close();
});

test('cells of the budget grid are kept and saved after the next sign-in', async () => {
  const { page, context, seen } = await open(browser);
  await signIn(page, steward.url, 'Pia Portfolio');
  await page.goto(`${steward.url}/portfolios/common-components/budget?show=all`);
  const folded = page.locator('tbody:has(a.fold)').first(); // it must be open again afterwards
  const group = await folded.getAttribute('id');
  await folded.locator('a.fold').click();
  await page.locator(`#${group} tr[data-row]`).first().waitFor();
  const cells = page.locator(`#${group} td.c:not(.lk)`);
  const was = await cells.nth(0).textContent();
  await expire(context);
  await cells.nth(0).click();
  await page.keyboard.type('4321');
  await page.keyboard.press('Enter');
  await page.locator('#g-save.bad', { hasText: 'your session has ended' }).waitFor();
  await cells.nth(1).click();
  await page.keyboard.type('1234'); // not even entered when the button is pressed
  assert.deepEqual(await stored(page), []);
  let asked = 0;
  page.on('dialog', async (d) => { asked += 1; await d.accept(); });
  await page.locator('.sbar').getByRole('button', { name: 'Sign in' }).click();
  await again(page, 'Pia Portfolio');
  assert.equal(asked, 0, 'leaving for the sign-in does not ask');
  assert.match(page.url(), /show=all/);
  await page.locator('.toast', { hasText: 'Your entries were kept' }).waitFor();
  await page.locator('#g-save.ok', { hasText: '2 changes saved' }).waitFor();
  assert.deepEqual(await stored(page), []);
  await page.reload();
  assert.deepEqual([await cells.nth(0).textContent(), await cells.nth(1).textContent()], ['4,321', '1,234']);
  assert.notEqual(was, '4,321');
  quiet(seen);
  await context.close();
});
