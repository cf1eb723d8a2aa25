import { expect, test } from 'vitest';
import { type Commit, complaints } from './check-commits.ts';

const commit = (more: Partial<Commit>): Commit => ({
  hash: '0123456789abcdef',
  subject: 'Refuse a pairing code for a number that is linked',
  body: '',
  files: ['README.md'],
  ...more,
});

test.each([
  ['Seed the random tests', []],
  ['x'.repeat(69).toUpperCase(), []],
  [`A${'b'.repeat(69)}`, []],
  [`A${'b'.repeat(70)}`, ['has 71 characters, 70 at most']],
  ['Added a thing', ['is not in the imperative']],
  ['Adding a thing', ['is not in the imperative']],
  ['add a thing.', ['ends with a full stop', 'does not begin with a capital letter']],
])('subject %j', (subject, expected) => {
  expect(complaints([commit({ subject })])).toEqual(expected.map((each) => `0123456 "${subject}": ${each}`));
});

test('changed sources need a line in the changelog, or a reason', () => {
  const source = commit({ files: ['packages/gateway/src/clock.ts'] });
  expect(complaints([source])).toEqual([expect.stringContaining('CHANGELOG.md')]);
  expect(complaints([source, commit({ files: ['CHANGELOG.md'] })])).toEqual([]);
  expect(complaints([{ ...source, body: 'Why.\n\nNo changelog: nobody sees it' }])).toEqual([]);
  expect(complaints([commit({ files: ['packages/gateway/test/a.test.ts'] })])).toEqual([]);
});
