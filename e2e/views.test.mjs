// Saved views, tags, many rows at once and notifications, by hand: with keyboard, without script, in
// French and on a phone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accessible, chromium, open, quiet, signIn, start } from './lib.mjs';

let steward;
let browser;
before(async () => { steward = await start(); browser = await chromium(); });
after(async () => { await browser?.close(); await steward?.stop(); });

test('a list is saved, tagged and changed at once', async () => {
  const { page, seen } = await open(browser);
  await signIn(page, steward.url, 'Pia Portfolio');
  await page.goto(`${steward.url}/vendors?f.risk=LOW`);
  await page.getByRole('button', { name: 'Save view' }).click();
  await page.getByLabel('Name of the view').fill('Calm vendors');
  await page.keyboard.press('Enter');
  await page.locator('.tabs a[aria-current=page]', { hasText: 'Calm vendors' }).waitFor();
  await accessible(page, 'a list with a saved view');

  // two rows by keyboard, then one value for both, and one undo
  await page.goto(`${steward.url}/vendors`);
  const boxes = page.locator('tbody .pick input');
  assert.ok(await page.locator('#bulk').isHidden(), 'the bar waits for a choice');
  await boxes.nth(0).focus();
  await page.keyboard.press('Space');
  await boxes.nth(1).focus();
  await page.keyboard.press('Space');
  assert.equal(await page.locator('.picked').textContent(), 'Chosen: 2');
  await accessible(page, 'a list with chosen rows');
  await page.getByLabel('What to change').selectOption('set.risk');
  await page.getByRole('button', { name: 'Go on' }).press('Enter');
  await page.getByRole('heading', { name: 'Risk: Vendors' }).waitFor();
  await accessible(page, 'a change of many rows');
  await page.locator('select[name=risk]').selectOption('HIGH');
  await page.getByRole('button', { name: 'Change 2 rows' }).click();
  await page.locator('.toast', { hasText: 'The rows were changed.' }).getByRole('button', { name: 'Undo' }).click();
  await page.locator('.toast', { hasText: 'Taken back' }).or(page.locator('.toast', { hasText: 'Undone' })).first().waitFor();

  // a tag, from the page of a record to the list of all that carry it
  await page.goto(`${steward.url}/tags/new`);
  await page.getByLabel('Name', { exact: false }).first().fill('Urgent');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('h1', { hasText: 'Urgent' }).waitFor();
  await page.goto(`${steward.url}/vendors`);
  await page.locator('tbody th a.rowlink').first().click();
  await page.getByRole('combobox', { name: 'Add a tag' }).pressSequentially('Urg');
  await page.getByRole('option', { name: 'Urgent' }).click();
  await page.locator('#tags-card').getByRole('button', { name: 'Add', exact: true }).click();
  await page.locator('#tags-card .badge', { hasText: 'Urgent' }).waitFor();
  await accessible(page, 'a record with a tag');
  await page.locator('#tags-card .badge').click();
  assert.equal(await page.locator('tbody tr').count(), 1);
  await page.goto(`${steward.url}/me/notifications`);
  await accessible(page, 'notifications');
  quiet(seen);
});

test('without script, in French, on a phone', async () => {
  const { page, seen } = await open(browser, { javaScriptEnabled: false, locale: 'fr-CA', viewport: { width: 390, height: 844 } });
  await signIn(page, steward.url, 'Pia Portfolio');
  await page.goto(`${steward.url}/vendors`);
  await page.locator('tbody .pick input').first().check();
  await page.locator('#bulk select').selectOption('archive');
  await page.locator('#bulk button').click();
  await page.getByRole('button', { name: 'Modifier 1 ligne' }).click();
  await page.locator('.toast', { hasText: 'Les lignes ont été modifiées.' }).locator('form button').click();
  await page.locator('.toast').first().waitFor();
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth).catch(() => true));
  quiet(seen);
});
