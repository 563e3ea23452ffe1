// Files on a record: chosen or refused by name, looked at, downloaded, removed in two steps and brought back,
// with and without script, wide and narrow, in both languages.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import { accessible, chromium, open, quiet, signIn, start } from './lib.mjs';

let steward;
let browser;
before(async () => { steward = await start(); browser = await chromium(); });
after(async () => { await browser?.close(); await steward?.stop(); });

const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
const file = (name, buffer) => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(buffer) });
const long = `${'Plan_de_mise_en_service_'.repeat(5)}.txt`;

test('files are added, seen, downloaded, removed and brought back', { timeout: 120_000 }, async () => {
  const { context, page, seen } = await open(browser);
  await signIn(page, steward.url, 'Pia Portfolio');
  await page.goto(`${steward.url}/portfolios/common-components`);
  const files = page.locator('#files');
  await files.getByText('No files yet.').waitFor();
  await files.locator('input[type=file]').setInputFiles([file('notes.txt', 'hello'), file('Écran.png', png), file(long, 'x')]);
  await files.getByRole('button', { name: 'Upload' }).click();
  await page.locator('.toast', { hasText: 'Files added.' }).waitFor();
  assert.equal(await files.locator('.files > li').count(), 3);
  await page.locator('.toast [data-dismiss]').click();
  await files.locator('summary').press('Enter'); // by keyboard
  await page.waitForFunction(() => document.querySelector('#files img').naturalWidth === 1);
  await accessible(page, 'a portfolio with files');
  const [download] = await Promise.all([page.waitForEvent('download'), files.getByRole('link', { name: 'notes.txt', exact: true }).click()]);
  assert.equal(download.suggestedFilename(), 'notes.txt');
  assert.equal(fs.readFileSync(await download.path(), 'utf8'), 'hello');

  await files.getByRole('link', { name: 'Remove notes.txt' }).press('Enter');
  await page.locator('dialog[open] h2', { hasText: 'Remove notes.txt?' }).waitFor();
  await accessible(page, 'the dialog');
  await page.getByRole('button', { name: 'Remove file' }).click();
  await page.locator('.toast', { hasText: 'File removed.' }).getByRole('button', { name: 'Undo' }).click();
  await page.locator('.toast', { hasText: 'File brought back.' }).waitFor();
  assert.equal(await files.locator('.files > li').count(), 3);

  await files.locator('input[type=file]').setInputFiles([file('page.pdf', '<html>')]);
  await files.getByRole('button', { name: 'Upload' }).click();
  await page.locator('#files [role=alert]', { hasText: 'page.pdf: The content is not that of a plain PDF file.' }).waitFor();
  await accessible(page, 'a refused file');

  await context.addCookies([{ name: 'lang', value: 'fr', url: steward.url }]);
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(`${steward.url}/portfolios/common-components`);
  await files.getByText('Envoyer').waitFor();
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), 'it scrolls sideways');
  await accessible(page, 'the files, narrow and French');
  if (process.env.SHOTS) await files.screenshot({ path: `${process.env.SHOTS}/narrow.png` });
  quiet(seen);
  await context.close();
});

test('files without script', { timeout: 60_000 }, async () => {
  const { context, page } = await open(browser, { javaScriptEnabled: false });
  await signIn(page, steward.url, 'Pia Portfolio');
  await page.goto(`${steward.url}/products/chefs`);
  await page.locator('#files input[type=file]').setInputFiles([file('plain.md', '# Hello')]);
  await page.locator('#files').getByRole('button', { name: 'Upload' }).click();
  await page.locator('.toast', { hasText: 'File added.' }).waitFor();
  if (process.env.SHOTS) await page.locator('#files-card').screenshot({ path: `${process.env.SHOTS}/wide.png` });
  await page.getByRole('link', { name: 'Remove plain.md' }).click();
  await page.getByRole('button', { name: 'Remove file' }).click();
  await page.locator('.toast', { hasText: 'File removed.' }).getByRole('button', { name: 'Undo' }).click();
  await page.locator('#files').getByRole('link', { name: 'plain.md', exact: true }).waitFor();
  await context.close();
});
