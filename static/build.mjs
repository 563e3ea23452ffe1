// Copies what browsers load out of the pinned npm packages and builds the icon sprite.
// "make assets" runs it after npm ci; the results are committed, so that building the
// program needs no node. Names of icons are taken from the Go and templ sources.
import fs from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

process.chdir(import.meta.dirname);
const pkg = (name) => path.join('node_modules', name);
const license = (name, id) => `/* ${name} ${JSON.parse(fs.readFileSync(pkg(`${name}/package.json`))).version}, ${id} */\n`;
const script = (from, to) => {
  const text = fs.readFileSync(pkg(from), 'utf8').replace(/\n?\/\/# sourceMappingURL=.*\s*$/, '');
  fs.writeFileSync(to, `${license('htmx.org', '0BSD')}${text}\n`);
};

fs.mkdirSync('vendor', { recursive: true });
fs.mkdirSync('font', { recursive: true });
script('htmx.org/dist/htmx.min.js', 'vendor/htmx.js');
fs.copyFileSync(pkg('@fontsource-variable/inter/files/inter-latin-wght-normal.woff2'), 'font/inter.woff2');
fs.copyFileSync(pkg('@fontsource-variable/inter/LICENSE'), 'font/LICENSE');

// --- explorer ----------------------------------------------------------------------------
await build({
  entryPoints: ['explorer/main.js'],
  outfile: 'vendor/explorer.js',
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2023',
  legalComments: 'none',
  banner: { js: '/* CodeMirror 6 and cm6-graphql, MIT; graphql-js, MIT */' },
  logLevel: 'warning',
});

// --- icons -------------------------------------------------------------------------------
const sources = (dir) => fs.readdirSync(dir, { withFileTypes: true, recursive: true })
  .filter((f) => f.isFile() && /\.(templ|go)$/.test(f.name) && !/_(templ|test)\.go$/.test(f.name))
  .map((f) => fs.readFileSync(path.join(f.parentPath, f.name), 'utf8'));
const lucide = new Set(fs.readdirSync(pkg('lucide-static/icons')).map((f) => f.replace(/\.svg$/, '')));
// A name counts where it is said to be an icon; a hyphenated one anywhere in quotes, because
// no other text of the sources looks like it.
const named = /\bIcon\("([a-z0-9-]+)"|\b[Ii]con:\s*"([a-z0-9-]+)"|": +"([a-z0-9-]+)",\n/g;
const hyphened = /"([a-z]+(?:-[a-z0-9]+)+)"/g;
const icons = new Set();
const missing = new Set();
// The navigation and the descriptors of entities name theirs too.
const nav = /^\t\{"[a-z]+", "([a-z0-9-]+)", "\//gm;
for (const [, name] of fs.readFileSync('../internal/rules/access/nav.go', 'utf8').matchAll(nav)) (lucide.has(name) ? icons : missing).add(name);
for (const text of ['../views', '../internal/web', '../ent/schema'].filter((d) => fs.existsSync(d)).flatMap(sources)) {
  for (const m of text.matchAll(named)) (lucide.has(m[1] ?? m[2] ?? m[3]) ? icons : missing).add(m[1] ?? m[2] ?? m[3]);
  for (const m of text.matchAll(hyphened)) if (lucide.has(m[1])) icons.add(m[1]);
}
const source = (name) => pkg(`lucide-static/icons/${name}.svg`);
const symbols = [...icons].sort().map((n) => {
  const [, inner] = fs.readFileSync(source(n), 'utf8').replace(/<!--[\s\S]*?-->/g, '').match(/<svg[^>]*>([\s\S]*)<\/svg>/);
  return `<symbol id="${n}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">${inner.replace(/\s*\n\s*/g, '')}</symbol>`;
});
fs.writeFileSync('icons.svg', `<svg xmlns="http://www.w3.org/2000/svg"><!-- Lucide, ISC -->\n${symbols.join('\n')}\n</svg>\n`);
console.log(`${symbols.length} icons`);
if (missing.size) {
  console.error(`Lucide has no icon named ${[...missing].join(', ')}`);
  process.exitCode = 1;
}
