// An import by hand: sent, mapped, checked, the bad rows fetched, imported without them, and taken back; with
// and without script, wide and narrow, in both languages.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import { accessible, chromium, open, quiet, signIn, start } from './lib.mjs';

let steward;
let browser;
before(async () => { steward = await start(); browser = await chromium(); });
after(async () => { await browser?.close(); await steward?.stop(); });

const who = 'Paul Procurement';
const file = (name, text) => ({ name, mimeType: 'text/csv', buffer: Buffer.from(text) });
const rows = 'Company,Homepage,Remark\nNorthwind,https://northwind.example,=1+1\n,https://nobody.example,\nContoso,nowhere,long\n';
const shot = async (page, name) => { if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}.png`, fullPage: true }); };
const wide = (page) => page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);

test('a file is sent, mapped, checked, imported and taken back', { timeout: 180_000 }, async () => {
  const { context, page, seen } = await open(browser);
  await signIn(page, steward.url, who);
  await page.goto(`${steward.url}/vendors`);
  await page.getByRole('link', { name: 'Import', exact: true }).press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Import a file' }).waitFor();
  await accessible(page, 'choosing a file');
  await shot(page, 'new');
  await page.locator('input[type=file]').setInputFiles([file('page.csv', '%PDF-1.7')]);
  await page.getByRole('button', { name: 'Send' }).click();
  await page.locator('[role=alert]', { hasText: 'page.csv: this is not a text file' }).waitFor();
  await page.locator('input[type=file]').setInputFiles([file('vendors.csv', rows)]);
  await page.getByRole('button', { name: 'Send' }).click();
  await page.locator('#mapping').waitFor();
  await accessible(page, 'the columns');
  await page.getByLabel('Meaning of “Company”').selectOption('name');
  await page.getByLabel('Meaning of “Homepage”').selectOption('website');
  await shot(page, 'columns');
  await page.getByRole('button', { name: 'Check the file' }).click();
  await page.locator('#faults tbody tr').first().waitFor({ timeout: 30_000 }); // the page follows the job by itself
  assert.equal(await page.locator('#faults tbody tr').count(), 2);
  await accessible(page, 'the report of the check');
  await shot(page, 'checked');
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download these rows' }).click()]);
  assert.match(fs.readFileSync(await download.path(), 'utf8'), /^\uFEFFsteward: line,steward: reason,Company,Homepage,Remark\n3,Company: must not be empty/);
  await context.addCookies([{ name: 'lang', value: 'fr', url: steward.url }]);
  await page.setViewportSize({ width: 390, height: 844 });
  await page.reload();
  await page.getByRole('button', { name: 'Importer sans les 2 lignes fautives' }).waitFor();
  assert.ok(!(await wide(page)), 'the report scrolls sideways');
  await accessible(page, 'the report, narrow and French');
  await shot(page, 'checked-narrow-fr');
  await page.goto(`${page.url()}?step=setup`);
  await page.getByText('Dans le fichier').first().waitFor({ state: 'attached' });
  assert.ok(!(await wide(page)), 'the columns scroll sideways');
  await shot(page, 'columns-narrow-fr');
  await context.addCookies([{ name: 'lang', value: 'en', url: steward.url }]);
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.goBack();
  await page.reload();
  await page.getByRole('button', { name: 'Import without the 2 bad rows' }).click();
  await page.waitForURL(/\/admin\/imports\//, { timeout: 30_000 });
  await page.getByRole('button', { name: 'Take' }).first().click();
  await page.locator('dialog[open]').getByRole('button', { name: /Take/ }).click();
  await page.locator('.toast', { hasText: 'taken back' }).waitFor();
  quiet(seen);
  await context.close();
});

test('an import without script', { timeout: 120_000 }, async () => {
  const { context, page } = await open(browser, { javaScriptEnabled: false, colorScheme: 'dark' });
  await signIn(page, steward.url, who);
  await page.goto(`${steward.url}/imports/new?entity=Vendor`);
  await page.locator('input[type=file]').setInputFiles([file('vendors.csv', 'name,website\nFabrikam,https://fabrikam.example\n')]);
  await page.getByRole('button', { name: 'Send' }).click();
  await page.getByRole('button', { name: 'Check the file' }).click();
  for (let i = 0; i < 60 && await page.getByRole('link', { name: 'Refresh' }).count(); i++) {
    await page.waitForTimeout(250);
    await page.getByRole('link', { name: 'Refresh' }).click();
  }
  await shot(page, 'dark');
  await page.getByRole('button', { name: 'Import all rows' }).click();
  for (let i = 0; i < 60 && !page.url().includes('/admin/imports/'); i++) {
    await page.waitForTimeout(250);
    await page.getByRole('link', { name: 'Refresh' }).click();
  }
  await page.getByText('Vendors').first().waitFor();
  await context.close();
});
