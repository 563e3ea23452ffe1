// What every browser journey needs: the real program on a database of its own, Chromium, sign-in, and a
// watch on what must not happen (content security policy reports, errors in the console, failed
// requests). Journeys are files named *.test.mjs beside this one, run by node's own test runner.
//
//   const steward = await start();                       // bin/steward serve --demo on a free port
//   const browser = await chromium();
//   const { page, seen } = await open(browser);           // a page in a context of its own
//   await signIn(page, steward.url, 'Pia Portfolio');
//   …
//   await accessible(page, 'the budget grid');            // axe: no violations
//   quiet(seen);                                          // no report, no error
//   await browser.close(); await steward.stop();
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { chromium as playwright } from 'playwright-core';

export const root = path.dirname(import.meta.dirname);
const axeSource = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// freePort returns a loopback port that nobody listens on.
export function freePort() {
  return new Promise((resolve, reject) => {
    const s = net.createServer().on('error', reject);
    s.listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => resolve(port)); });
  });
}

// start runs bin/steward (STEWARD_BIN names another) until it is ready: by default the demo on a fresh
// SQLite database. args are added to `serve`, demo: false leaves the demo out, database names another
// one (see postgres). The answer has
// url (as a person types it), port, pid, dir (its files), log() and stop() / kill().
export async function start({ args = [], env = {}, demo = true, database, port, ready = 90_000 } = {}) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'steward-e2e-'));
  port ??= await freePort();
  const own = Object.fromEntries(Object.entries(process.env).filter(([k]) => !k.startsWith('STEWARD_')));
  const flags = ['serve', '--listen', `127.0.0.1:${port}`, '--ops-listen=', '--database', database ?? `sqlite:${path.join(dir, 'steward.db')}`,
    '--rate-writes=0', '--rate-reads=0', '--rate-points=0', ...(demo ? ['--demo'] : []), ...args];
  if (database?.startsWith('postgres')) {
    fs.writeFileSync(path.join(dir, 'key'), Buffer.alloc(32, 'k').toString('base64'), { mode: 0o600 });
    flags.push('--key-file', path.join(dir, 'key'), '--migrate');
  }
  const file = path.join(dir, 'log');
  const out = fs.openSync(file, 'a');
  const child = spawn(process.env.STEWARD_BIN ?? path.join(root, 'bin', 'steward'), flags, { cwd: dir, env: { ...own, ...env }, stdio: ['ignore', out, out] });
  fs.closeSync(out);
  const ended = new Promise((resolve) => { child.once('exit', (code, signal) => resolve(signal ?? code)); child.once('error', resolve); });
  let over;
  ended.then((how) => { over = how; });
  const log = () => fs.readFileSync(file, 'utf8');
  const kill = async (signal = 'SIGKILL') => { child.kill(signal); return ended; };
  const stop = async () => {
    const how = over ?? await Promise.race([kill('SIGTERM'), new Promise((r) => setTimeout(r, 40_000, 'stuck').unref())]);
    if (how === 'stuck') await kill();
    const text = log();
    fs.rmSync(dir, { recursive: true, force: true });
    assert.equal(how, 0, `steward ended with ${how}:\n${text.slice(-3000)}`);
  };
  const url = `http://localhost:${port}`;
  for (const deadline = Date.now() + ready; ;) {
    if (over !== undefined) {
      const text = log();
      fs.rmSync(dir, { recursive: true, force: true });
      throw new Error(`steward did not start (${over}):\n${text.slice(-3000)}`);
    }
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    if (answer?.status === 200) return { url, port, pid: child.pid, dir, log, stop, kill };
    if (Date.now() > deadline) { await kill(); throw new Error(`steward was not ready in time:\n${log().slice(-3000)}`); }
    await new Promise((r) => setTimeout(r, 100));
  }
}

// postgres makes an empty database on the run's PostgreSQL (scripts/postgres.sh) and returns its URL.
export function postgres() {
  const script = path.join(root, 'scripts', 'postgres.sh');
  const name = `e2e_${process.pid}_${Date.now().toString(36)}`;
  const url = new URL(execFileSync(script, ['start'], { encoding: 'utf8' }).trim());
  execFileSync(script, ['psql', '-Xqc', `CREATE DATABASE ${name}`]);
  url.pathname = `/${name}`;
  return url.toString();
}

// chromium starts the system's browser (CHROMIUM names another); nothing is downloaded.
export function chromium() {
  const places = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  const executablePath = places.find((p) => p && fs.existsSync(p));
  assert.ok(executablePath, 'no Chromium: run scripts/setup-test.sh packages, or name one in CHROMIUM');
  return playwright.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
}

// open returns a page in a context of its own (its own cookies) and what was seen there. Options are
// playwright's: { viewport, locale: 'fr-CA', colorScheme: 'dark', javaScriptEnabled, reducedMotion … }.
export async function open(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-CA', reducedMotion: 'reduce', ...options });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  return { context, page, seen: await watch(page) };
}

// watch collects what must not happen on a page: csp (violations as the browser states them), errors
// (exceptions and console errors), failed (requests without an answer, and answers of 500 and above).
export async function watch(page) {
  const seen = { csp: [], errors: [], failed: [] };
  await page.exposeBinding('__cspSeen', (_, v) => { seen.csp.push(v); });
  await page.addInitScript(() => addEventListener('securitypolicyviolation', (e) =>
    globalThis.__cspSeen(`${e.violatedDirective} blocked ${e.blockedURI || 'inline'} at ${e.documentURI}:${e.lineNumber} ${e.sample}`)));
  page.on('request', (r) => { if (new URL(r.url()).pathname === '/csp-reports') seen.csp.push(`report sent: ${r.postData()}`); });
  page.on('pageerror', (e) => seen.errors.push(String(e)));
  page.on('console', (m) => {
    if (m.type() !== 'error') return;
    if (/Content Security Policy/i.test(m.text())) seen.csp.push(m.text());
    // answers of 4xx are part of many journeys (a conflict, a refusal); the journey asserts them itself
    else if (!/Failed to load resource: the server responded with a status of 4\d\d/.test(m.text())) seen.errors.push(m.text());
  });
  page.on('requestfailed', (r) => { if (r.failure()?.errorText !== 'net::ERR_ABORTED') seen.failed.push(`${r.method()} ${r.url()}: ${r.failure()?.errorText}`); });
  page.on('response', (r) => { if (r.status() >= 500) seen.failed.push(`${r.status()} ${r.request().method()} ${r.url()}`); });
  return seen;
}

// quiet asserts that a watch saw nothing.
export function quiet(seen) {
  assert.deepEqual({ ...seen }, { csp: [], errors: [], failed: [] });
}

// signIn goes through the development sign-in as a person does: the page, then the button with the name.
export async function signIn(page, url, name) {
  await page.goto(`${url}/auth/login`);
  await page.getByRole('button', { name }).or(page.getByRole('link', { name })).first().click();
  await page.waitForURL((u) => u.origin === new URL(url).origin && !u.pathname.startsWith('/auth/') && !u.pathname.startsWith('/realms/'));
}

// violations runs axe and returns one line a violation, with the elements.
export async function violations(page) {
  await page.evaluate(axeSource); // evaluated by the browser's debugger: the page's policy stays as it is
  const found = await page.evaluate(() => globalThis.axe.run(document, { preload: false,
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
  return found.violations.map((v) => `${v.id} (${v.impact}): ${v.help}\n${v.nodes.map((n) => `    ${n.html.slice(0, 200)}\n      ${n.failureSummary.replace(/\s+/g, ' ')}`).join('\n')}`);
}

// accessible asserts that axe finds nothing on the page as it stands.
export async function accessible(page, what = page.url()) {
  const found = await violations(page);
  assert.equal(found.length, 0, `${what}: ${found.length} axe violations\n${found.join('\n')}`);
}
