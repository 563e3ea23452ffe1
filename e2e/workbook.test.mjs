// A budget as a workbook: out of the grid, edited, back with a preview, undone; a file that is none.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import zlib from 'node:zlib';
import { accessible, chromium, open, quiet, signIn, start } from './lib.mjs';

let steward;
let browser;

before(async () => { steward = await start(); browser = await chromium(); });
after(async () => { await browser?.close(); await steward?.stop(); });

// edited returns the workbook with the texts of its first sheet changed, as a spreadsheet would save it.
function edited(file, change) {
  const content = fs.readFileSync(file);
  const end = content.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  const locals = [];
  const centrals = [];
  let size = 0;
  for (let at = content.readUInt32LE(end + 16), n = content.readUInt16LE(end + 10); n > 0; n--) {
    const [nameSize, extra, comment] = [28, 30, 32].map((o) => content.readUInt16LE(at + o));
    const name = content.subarray(at + 46, at + 46 + nameSize);
    const from = content.readUInt32LE(at + 42);
    const start = from + 30 + content.readUInt16LE(from + 26) + content.readUInt16LE(from + 28);
    const packed = content.subarray(start, start + content.readUInt32LE(at + 20));
    let data = content.readUInt16LE(at + 10) === 8 ? zlib.inflateRawSync(packed) : packed;
    if (name.toString() === 'xl/worksheets/sheet1.xml') data = Buffer.from(change(data.toString()));
    const head = Buffer.alloc(26); // from the version on: stored, without a date
    head.writeUInt16LE(20, 0);
    head.writeUInt32LE(zlib.crc32(data), 10);
    head.writeUInt32LE(data.length, 14);
    head.writeUInt32LE(data.length, 18);
    head.writeUInt16LE(nameSize, 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(size, 10);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), head, name, data]);
    centrals.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), head, tail, name]));
    locals.push(local);
    size += local.length;
    at += 46 + nameSize + extra + comment;
  }
  const directory = Buffer.concat(centrals);
  const last = Buffer.alloc(22);
  last.write('PK\x05\x06', 0, 'latin1');
  last.writeUInt16LE(centrals.length, 8);
  last.writeUInt16LE(centrals.length, 10);
  last.writeUInt32LE(directory.length, 12);
  last.writeUInt32LE(size, 16);
  return { name: 'budget.xlsx', mimeType: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', buffer: Buffer.concat([...locals, directory, last]) };
}

async function send(page, file) {
  await page.getByRole('button', { name: 'Upload a workbook' }).click();
  await page.locator('#sheet-file').setInputFiles(file);
  await page.getByRole('button', { name: 'Show what changes' }).click();
  await page.getByRole('heading', { level: 1, name: 'What the workbook changes' }).waitFor();
}

test('a budget goes out as a workbook, comes back edited and is taken back', async () => {
  const { page, seen, context } = await open(browser);
  await signIn(page, steward.url, 'Pia Portfolio');
  await page.goto(`${steward.url}/portfolios`);
  await page.locator('a.rowlink').first().click();
  await page.goto(`${page.url()}/budget`);
  const form = new URL(await page.getByRole('link', { name: 'New plan' }).getAttribute('href'), page.url());
  form.searchParams.set('name', 'Workbook plan');
  await page.goto(form.toString());
  await page.locator('main form').filter({ has: page.locator('[name=name]') }).locator('button[type=submit]').last().click();
  await page.getByRole('heading', { level: 1, name: 'Workbook plan' }).waitFor();
  await page.getByRole('button', { name: 'Add a line' }).first().click();
  await page.locator('#new-line [name=name]').fill('Hosting');
  await page.locator('#new-line').getByRole('button', { name: 'Add a line' }).click();
  await page.locator('tr[data-row]', { hasText: 'Hosting' }).first().waitFor();

  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Workbook (XLSX)' }).click()]);
  const file = await download.path();
  await send(page, { name: 'same.xlsx', mimeType: 'application/octet-stream', buffer: fs.readFileSync(file) });
  await page.getByText('No cell changes').waitFor();
  await page.getByRole('link', { name: 'Back to the grid' }).click();

  await send(page, edited(file, (xml) => xml.replace(/<c r="I2"([^>]*)><\/c>/, '<c r="I2"$1><v>1200.5</v></c>').replace(/<c r="J2"([^>]*)><\/c>/, '<c r="J2"$1 t="str"><v>a lot</v></c>')));
  assert.match(await page.locator('#changes').innerText(), /I2[^]*Hosting[^]*1,200\.50/);
  assert.match(await page.locator('#problems').innerText(), /J2[^]*a lot[^]*not an amount/);
  await accessible(page, 'what the workbook changes');
  await page.getByRole('button', { name: 'Write 1 cell' }).click();
  await page.getByText('Nothing was written').waitFor();
  assert.match(page.url(), /sheet\/apply$/);
  await page.getByLabel('Leave out the cell that cannot be written').check();
  await page.getByRole('button', { name: 'Write 1 cell' }).click();
  await page.getByRole('heading', { level: 1, name: 'Workbook plan' }).waitFor();
  const first = page.locator('tr[data-row]', { hasText: 'Hosting' }).first().locator('td.c').first();
  assert.match(await first.textContent(), /1,20[01]/);
  await page.locator('form[action^="/undo/"] button').first().click();
  await page.waitForFunction(() => !document.querySelector('tr[data-row] td.c').textContent.includes('1,20'));
  quiet(seen);
  await context.close();
});

test('a file that is no workbook is refused with a sentence, on a phone and in French', async () => {
  const { page, context } = await open(browser, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, locale: 'fr-CA' });
  await signIn(page, steward.url, 'Pia Portfolio');
  await page.goto(`${steward.url}/portfolios`);
  await page.locator('a.rowlink').first().click();
  await page.goto(`${page.url()}/budget`);
  const plan = page.locator('.cycle.plans a', { hasText: '' }).first();
  await plan.click();
  const upload = page.getByRole('button', { name: 'Téléverser un classeur' });
  await upload.click();
  await page.locator('#sheet-file').setInputFiles({ name: 'x.xlsx', mimeType: 'application/octet-stream', buffer: Buffer.from('PK\x03\x04 cut short', 'latin1') });
  await page.getByRole('button', { name: 'Voir ce qui change' }).click();
  await page.getByText('ce fichier est une archive endommagée ou incomplète').waitFor();
  await accessible(page, 'a refused workbook');
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wide <= 0, `scrolls sideways by ${wide}`);
  await context.close();
});
