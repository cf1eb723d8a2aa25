import { expect, test } from 'vitest';
import { licenceProblems } from './check-licences.ts';

const problemsOf = (license: string | undefined, path = 'node_modules/some', more: object = {}) =>
  licenceProblems({ packages: { [path]: { ...(license === undefined ? {} : { license }), ...more } } });

test('what binds who passes it on is refused, at any depth', () => {
  for (const license of [
    'GPL-3.0',
    'AGPL-3.0-only',
    'LGPL-3.0-or-later',
    'MIT AND GPL-2.0',
    'UNLICENSED',
    undefined,
  ]) {
    expect(problemsOf(license), license).toHaveLength(1);
  }
  expect(problemsOf('GPL-3.0', 'node_modules/baileys/node_modules/libsignal')).toEqual([
    'libsignal: GPL-3.0 binds who passes WUTS on',
  ]);
});

test('permissive ones pass, also as a choice, and what is for development', () => {
  for (const license of ['MIT', '(MIT OR GPL-3.0)', 'Apache-2.0 AND MIT', 'BSD-3-Clause']) {
    expect(problemsOf(license), license).toEqual([]);
  }
  expect(problemsOf('GPL-3.0', 'node_modules/some', { dev: true })).toEqual([]);
  expect(problemsOf('LGPL-3.0-or-later', 'node_modules/@img/sharp-libvips-linux-x64')).toEqual([]);
});
