// The journeys' tools must see the faults they look for: a page with known faults, and one without.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { accessible, chromium, open, quiet, signIn, start, violations } from './lib.mjs';

const page = (body) => `<!doctype html><html lang="en"><head><title>x</title></head><body><main><h1>x</h1>${body}</main></body></html>`;
const pages = {
  '/good': page('<p>fine</p>'),
  '/policy': page('<p style="color:red">x</p><script>document.title = "ran"</script>'),
  '/axe': page('<img src="/pixel">'),
  '/error': page('<script src="/throw.js"></script>'),
  '/fails': page('<script src="/500"></script>'),
  '/auth/login': page('<form action="/realms/x"><button name="a">Otto Owner</button></form><form action="/realms/y"><button>Sign in as Pia Portfolio</button></form>'),
};
let server, url, browser;

before(async () => {
  server = http.createServer((req, res) => {
    const where = new URL(req.url, 'http://x').pathname;
    res.setHeader('Content-Security-Policy', "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; report-uri /csp-reports");
    if (where === '/throw.js') return res.writeHead(200, { 'Content-Type': 'text/javascript' }).end('throw new Error("boom")');
    if (where === '/500') return res.writeHead(500, { 'Content-Type': 'text/javascript' }).end();
    if (where === '/realms/y') return res.writeHead(303, { Location: '/good' }).end();
    if (where === '/favicon.ico' || where === '/csp-reports') return res.writeHead(204).end();
    res.writeHead(pages[where] ? 200 : 404, { 'Content-Type': 'text/html' }).end(pages[where]);
  });
  await new Promise((r) => server.listen(0, '127.0.0.1', r));
  url = `http://localhost:${server.address().port}`;
  browser = await chromium();
});
after(async () => { await browser?.close(); server.close(); server.closeAllConnections(); });

// visit opens a page of the server and lets late reports arrive.
async function visit(where) {
  const { page, seen, context } = await open(browser);
  await page.goto(url + where);
  await page.waitForTimeout(200);
  return { page, seen, context };
}

test('a good page is quiet and accessible', async () => {
  const { page, seen } = await visit('/good');
  await accessible(page);
  quiet(seen);
});

test('a breach of the policy is seen', async () => {
  const { seen, page } = await visit('/policy');
  assert.ok(seen.csp.length >= 2, JSON.stringify(seen));
  assert.notEqual(await page.title(), 'ran');
  assert.throws(() => quiet(seen));
});

test('axe sees a missing text alternative', async () => {
  const { page } = await visit('/axe');
  assert.match((await violations(page)).join(), /image-alt/);
  await assert.rejects(accessible(page, 'the page'), /the page: 1 axe violations/);
});

test('errors and failed requests are seen', async () => {
  assert.match((await visit('/error')).seen.errors.join(), /boom/);
  assert.match((await visit('/fails')).seen.failed.join(), /500 GET/);
});

test('sign-in presses the button with the name', async () => {
  const { page } = await open(browser);
  await signIn(page, url, 'Pia Portfolio');
  assert.equal(new URL(page.url()).pathname, '/good');
});

test('a program that does not start says why', async () => {
  const bin = path.join(os.tmpdir(), `not-steward-${process.pid}`);
  fs.writeFileSync(bin, '#!/bin/sh\necho "the reason" >&2\nexit 2\n', { mode: 0o755 });
  const real = process.env.STEWARD_BIN;
  process.env.STEWARD_BIN = bin;
  try {
    await assert.rejects(start(), /did not start \(2\)[^]*the reason/);
  } finally {
    if (real === undefined) delete process.env.STEWARD_BIN; else process.env.STEWARD_BIN = real;
    fs.rmSync(bin);
  }
});
