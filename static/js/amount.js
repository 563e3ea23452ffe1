// Exact amounts in the browser: whole numbers of a ten-thousandth (BigInt), as the server's
// money.Amount. Never floating point. Reads what people type or paste, in English and French,
// by the rules of internal/rules/money/input.go; what would need guessing is refused.
export const ONE = 10000n;
const MAX = 9223372036854775807n;

// fromPlain reads the exact decimal of a data attribute or an answer; null for none.
export const fromPlain = (s) => {
  if (s === undefined || s === null || s === '') return null;
  const [, minus, whole, decimals = ''] = /^(-?)(\d+)(?:\.(\d{1,4}))?$/.exec(s);
  const v = BigInt(whole) * ONE + BigInt(decimals.padEnd(4, '0'));
  return minus ? -v : v;
};

// toPlain writes the exact decimal that fromPlain and the server read; null stays null.
export const toPlain = (a) => {
  if (a === null) return null;
  const abs = a < 0n ? -a : a;
  const decimals = String(abs % ONE).padStart(4, '0').replace(/0+$/, '');
  return `${a < 0n ? '-' : ''}${abs / ONE}${decimals && `.${decimals}`}`;
};

const french = (lang) => lang.startsWith('fr');

// format writes an amount as the grid shows it: grouped, no decimals when it is whole, else
// at least two. Empty for none.
export const format = (a, lang) => {
  if (a === null) return '';
  const [whole, decimals = ''] = toPlain(a < 0n ? -a : a).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, french(lang) ? '\u00a0' : ',');
  return `${a < 0n ? '-' : ''}${grouped}${decimals && (french(lang) ? ',' : '.') + decimals.padEnd(2, '0')}`;
};

// Refusal is why a text is no amount; its message is the key of the sentence to show.
export class Refusal extends Error {}
const refuse = (key) => { throw new Refusal(key); };

const SPACE = /[\s\u00a0\u202f\u2009'\u2019]+/g;
const grouped = (s) => s === '' || /^\d+$/.test(s) || /^[1-9]\d{0,2}(?:([ ,.])\d{3})(?:\1\d{3})*$/.test(s);

// plain removes thousand separators and makes the decimal sign a point. A lone comma groups in
// English and is the decimal sign in French; where both signs occur the last one decides.
const plain = (text, fr) => {
  const s = text.trim().replace(SPACE, ' ');
  const points = s.split('.').length - 1;
  const commas = s.split(',').length - 1;
  const at = Math.max(s.lastIndexOf('.'), s.lastIndexOf(','));
  let decimal = -1;
  if (points && commas) decimal = at;
  else if (points + commas === 1) {
    if ((s[at] === ',') === fr) decimal = at;
    else {
      const three = s.length - at - 1 === 3;
      const spaced = s.includes(' ');
      const group = three && !spaced && grouped(s);
      if (spaced ? three : group === fr) refuse('ambiguous');
      if (!group) decimal = at;
    }
  }
  const whole = decimal < 0 ? s : s.slice(0, decimal);
  const decimals = decimal < 0 ? '' : s.slice(decimal + 1);
  if (!grouped(whole) || !/^\d*$/.test(decimals) || whole + decimals === '') refuse('number');
  return `${whole.replace(/[ ,.]/g, '') || '0'}.${decimals}`;
};

const FACTORS = { '': 0, k: 3, K: 3, m: 6, M: 6, Md: 9, B: 9, b: 9, G: 9 };

// A fraction n/d is exact; only the end of a calculation is rounded.
const fraction = (decimal, power = 0) => {
  const [whole, decimals] = decimal.split('.');
  return { n: BigInt(whole + decimals) * 10n ** BigInt(power), d: 10n ** BigInt(decimals.length) };
};
const half = (n, d) => { // n/d to the nearest whole number, ties to even
  if (d < 0n) return half(-n, -d);
  const q = n / d;
  const rest = (n % d) * 2n;
  const abs = rest < 0n ? -rest : rest;
  if (abs < d || (abs === d && q % 2n === 0n)) return q;
  return q + (n < 0n ? -1n : 1n);
};
const inRange = (a) => (a > MAX || a < -MAX ? refuse('range') : a);
// cents rounds the result of a calculation to hundredths, half to even.
const cents = ({ n, d }) => inRange(half(n * 100n, d) * 100n);
const exact = ({ n, d }) => {
  if ((n * ONE) % d !== 0n) refuse('decimals');
  return inRange((n * ONE) / d);
};

// calc works out + - × ÷ and parentheses over numbers as people write them; % is a hundredth.
const calc = (source, fr) => {
  let i = 0;
  const skip = () => { while (/\s/.test(source[i] ?? '')) i += 1; };
  const take = (...signs) => { skip(); return signs.includes(source[i]) ? source[i++] : ''; };
  const primary = () => {
    if (take('-', '\u2212')) { const v = primary(); return { n: -v.n, d: v.d }; }
    if (take('+')) return primary();
    if (take('(')) { const v = sum(); if (!take(')')) refuse('formula'); return v; }
    const found = /^(\d[\d.,' \u00a0\u202f\u2019]*|[.,]\d+)(Md|[kKmMbBG])?/.exec(source.slice(i));
    if (!found) refuse('formula');
    i += found[0].length;
    const v = fraction(plain(found[1], fr), FACTORS[found[2] ?? '']);
    return take('%') ? { n: v.n, d: v.d * 100n } : v;
  };
  const product = () => {
    let v = primary();
    for (let sign = take('*', '\u00d7', '/', '\u00f7'); sign; sign = take('*', '\u00d7', '/', '\u00f7')) {
      const w = primary();
      if ('*\u00d7'.includes(sign)) v = { n: v.n * w.n, d: v.d * w.d };
      else if (w.n === 0n) refuse('division');
      else v = { n: v.n * w.d, d: v.d * w.n };
    }
    return v;
  };
  const sum = () => {
    let v = product();
    for (let sign = take('+', '-', '\u2212'); sign; sign = take('+', '-', '\u2212')) {
      const w = product();
      v = { n: v.n * w.d + (sign === '+' ? 1n : -1n) * w.n * v.d, d: v.d * w.d };
    }
    return v;
  };
  const v = sum();
  skip();
  if (i !== source.length) refuse('formula');
  return v;
};

// signs are the currency signs a text may carry, by currency; the code itself always may.
const DOLLARS = 'CAD USD AUD NZD HKD SGD TWD MXN ARS CLP COP BBD BSD BZD FJD GYD JMD KYD LRD NAD SBD SRD TTD XCD'.split(' ');
const carries = (mark, currency) => mark === currency || (mark.endsWith('$') && DOLLARS.includes(currency)
  && ['', 'CA', 'C', 'US', 'A', 'AU', 'NZ', 'HK'].includes(mark.slice(0, -1))
  && (mark === '$' || currency.startsWith(mark[0])))
  || { '€': 'EUR', '£': 'GBP', '¥': 'JPY', '₹': 'INR' }[mark] === currency;

// parse reads what a person typed into a cell:
//   12,500   12 500,00   12.5k   1.2M   (500)   -500   $1,200   =18000*1.05   +10%
// An empty text clears the cell (null), a lone dash is the zero of a spreadsheet's accounting
// format, and +10% changes current. It throws a Refusal for anything that is no amount.
export const parse = (text, { lang = 'en', current = null, currency = '' } = {}) => {
  const fr = french(lang);
  const s = text.trim();
  if (s === '') return null;
  if (s.length > 200) refuse('number');
  if (s.startsWith('=')) return cents(calc(s.slice(1), fr));
  const change = /^([+\-\u2212])\s*([\d.,\s\u00a0\u202f]+?)\s*%$/.exec(s);
  if (change) {
    if (current === null) refuse('percent');
    const p = fraction(plain(change[2], fr));
    const sign = change[1] === '+' ? 1n : -1n;
    return cents({ n: current * (100n * p.d + sign * p.n), d: 100n * p.d * ONE });
  }
  if (/^[-\u2013\u2014\u2212]$/.test(s.replace(/[$€£¥\s\u00a0\u202f]/g, ''))) return 0n;
  const found = /^([^\d]*?)([.,]?\d(?:.*\d)?)([^\d]*)$/s.exec(s);
  if (!found) refuse('number');
  const bare = (x) => x.replace(SPACE, '');
  let before = bare(found[1]);
  let after = bare(found[3]);
  const minus = (before.match(/[-\u2212]/g) ?? []).length;
  const open = (before.match(/\(/g) ?? []).length;
  if (minus + open > 1 || open !== (after.match(/\)/g) ?? []).length) refuse('number');
  before = before.replace(/[-\u2212(+]/g, '');
  after = after.replace(/\)$/, '');
  const mark = (m) => m === '' || carries(m, currency) || (/^([A-Z]{3}|[A-Z]{0,3}[$€£¥₹])$/.test(m) ? refuse('currency') : false);
  const suffix = Object.keys(FACTORS).sort((a, b) => b.length - a.length)
    .find((f) => after.startsWith(f) && (after === f || /^([A-Z]{3}|[A-Z]{0,3}[$€£¥₹])$/.test(after.slice(f.length))));
  if (suffix === undefined || !mark(before) || !mark(after.slice(suffix.length))) refuse('number');
  const v = exact(fraction(plain(found[2], fr), FACTORS[suffix]));
  return minus + open ? -v : v;
};

// share divides total into n parts that add up to it: whole hundredths where total is, and the
// hundredths left over go to the first parts.
export const share = (total, n) => {
  const step = total % 100n === 0n ? 100n : 1n;
  const units = total / step;
  const each = units / BigInt(n);
  const left = units % BigInt(n);
  const abs = left < 0n ? -left : left;
  return Array.from({ length: n }, (_, i) => (each + (BigInt(i) < abs ? left / abs : 0n)) * step);
};

// whole rounds to whole units, half to even, for figures that are only read.
export const whole = (a) => (a === null ? null : half(a, ONE) * ONE);

// average is sum/n in hundredths, half to even.
export const average = (sum, n) => half(sum, BigInt(n) * 100n) * 100n;
