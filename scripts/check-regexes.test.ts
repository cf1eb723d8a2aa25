import { expect, test } from 'vitest';
import { regexesOf, verdictOn } from './check-regexes.ts';

test('finds literals, constructed ones and patterns of schemas, with their lines', () => {
  const code = [
    'const a: RegExp = /=+$/i;',
    "const b = new RegExp('a+', 'g') as RegExp;",
    'const c = RegExp(prefix + b.source);',
    "const d = Type.String({ pattern: '^x$' });",
    "const e = '/not one/';",
  ].join('\n');
  expect(regexesOf(code, 'a.ts')).toEqual([
    { place: 'a.ts:1', source: '=+$', flags: 'i' },
    { place: 'a.ts:2', source: 'a+', flags: 'g' },
    { place: 'a.ts:3', source: null, flags: '' },
    { place: 'a.ts:4', source: '^x$', flags: 'u' },
  ]);
});

test.each([
  ['=+$', '', false],
  ['^[\\s.]+|[\\s.]+$', 'g', false],
  ['^(a|a)*$', '', false],
  ['^bytes\\s*=\\s*(\\d*)\\s*-\\s*(\\d*)$', 'i', false],
  ['^[A-Za-z0-9+/]*={0,2}$', '', true],
  ['^[\\x21-\\x7e](?:[\\x20-\\x7e]{0,20}[\\x21-\\x7e])?$', '', true],
])('/%s/%s linear: %s', async (source, flags, linear) => {
  expect((await verdictOn(source, flags)).linear).toBe(linear);
});
