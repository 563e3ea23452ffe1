// What people type into a budget cell, in both languages: the vectors of internal/rules/money and
// what only the grid reads (formulas, percentages).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { average, format, fromPlain, parse, Refusal, share, toPlain } from '../static/js/amount.js';

const en = (s, more) => toPlain(parse(s, { lang: 'en-CA', currency: 'CAD', ...more }));
const fr = (s, more) => toPlain(parse(s, { lang: 'fr-CA', currency: 'CAD', ...more }));

test('amounts as people write them', () => {
  for (const [text, english, french] of [
    ['12500', '12500', '12500'], ['12,500', '12500', '12.5'], ['12 500,00', '12500', '12500'], ['12\u00a0500,50', '12500.5', '12500.5'],
    ['12500.5', '12500.5', '12500.5'], ['12.5k', '12500', '12500'], ['1.2M', '1200000', '1200000'], ['1,2M', 'ambiguous', '1200000'],
    ['2,5 Md', 'ambiguous', '2500000000'], ['1.5B', '1500000000', '1500000000'], ['(500)', '-500', '-500'], ['-500', '-500', '-500'],
    ['\u2212500', '-500', '-500'], ['$1,200', '1200', '1.2'], ['1 200 $', '1200', '1200'], ['CA$1,284,500.25', '1284500.25', '1284500.25'],
    ['($1,284.50)', '-1284.5', '-1284.5'], ['12,50', 'ambiguous', '12.5'], ['12.500', '12.5', 'ambiguous'], ['1.234.567,89', '1234567.89', '1234567.89'],
    ['1,234,567.89', '1234567.89', '1234567.89'], ['1,23,456', 'number', 'number'], ['.5', '0.5', '0.5'], [',5', 'ambiguous', '0.5'],
    ['', null, null], ['-', '0', '0'], ['$ -', '0', '0'], ['12 000 000', '12000000', '12000000'], ["1'000", '1000', '1000'],
    ['€500', 'currency', 'currency'], ['500 USD', 'currency', 'currency'], ['12a', 'number', 'number'], ['abc', 'number', 'number'],
    ['((5))', 'number', 'number'], ['1.23456', 'decimals', 'decimals'], ['99999999999999999', 'range', 'range'],
    ['922337203685477.5807', '922337203685477.5807', '922337203685477.5807'],
  ]) {
    for (const [read, want] of [[en, english], [fr, french]]) {
      let got;
      try { got = read(text); } catch (e) { assert.ok(e instanceof Refusal, `${text}: ${e.stack}`); got = e.message; }
      assert.equal(got, want, `${JSON.stringify(text)} in ${read === en ? 'English' : 'French'}`);
    }
  }
});

test('formulas and changes', () => {
  assert.equal(en('=18000*1.05'), '18900');
  assert.equal(fr('=18000*1,05'), '18900');
  assert.equal(fr('=18 000 × 1,05'), '18900');
  assert.equal(en('=1,000/3'), '333.33');
  assert.equal(en('=(2+3)*-4'), '-20');
  assert.equal(en('=12.5k + 10%*1000'), '12600');
  assert.equal(en('=1-2-3'), '-4');
  assert.equal(en('=0.125*1'), '0.12', 'a tie goes to the even hundredth');
  assert.equal(en('+10%', { current: fromPlain('200') }), '220');
  assert.equal(en('-2.5%', { current: fromPlain('200') }), '195');
  assert.equal(fr('-2,5 %', { current: fromPlain('200') }), '195');
  for (const [text, why] of [['=', 'formula'], ['=1+', 'formula'], ['=(1', 'formula'], ['=1/0', 'division'], ['=a', 'formula'], ['=1;2', 'formula'], ['+10%', 'percent']]) {
    assert.throws(() => en(text), (e) => e instanceof Refusal && e.message === why, text);
  }
});

test('amounts as the grid shows them', () => {
  assert.equal(format(fromPlain('1284500'), 'en-CA'), '1,284,500');
  assert.equal(format(fromPlain('-1284500.5'), 'fr-CA'), '-1\u00a0284\u00a0500,50');
  assert.equal(format(fromPlain('0.0001'), 'en-CA'), '0.0001');
  assert.equal(format(fromPlain('0'), 'en-CA'), '0');
  assert.equal(format(null, 'en-CA'), '');
  for (const s of ['0', '-0.5', '12.3456', '922337203685477.5807']) assert.equal(toPlain(fromPlain(s)), s);
});

test('shares add up', () => {
  assert.deepEqual(share(fromPlain('100'), 3).map(toPlain), ['33.34', '33.33', '33.33']);
  assert.deepEqual(share(fromPlain('-0.05'), 2).map(toPlain), ['-0.03', '-0.02']);
  assert.equal(toPlain(average(fromPlain('100'), 3)), '33.33');
});
