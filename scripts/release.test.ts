import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { datedChangelog, mayFollow, withExtensionVersion, withVersion } from './release.ts';

const CHANGELOG = '# Changelog\n\n## 0.2.0 (unreleased)\n\n- New.\n\n## 0.1.0 (2026-01-01)\n\n- Old.\n';

test('dates the section, which becomes the notes', () => {
  const { text, notes } = datedChangelog(CHANGELOG, '0.2.0', '2026-12-01');
  expect(text).toBe(CHANGELOG.replace('(unreleased)', '(2026-12-01)'));
  expect(notes).toBe('- New.');
  expect(() => datedChangelog(CHANGELOG, '0.3.0', '2026-12-01')).toThrow(/0\.3\.0/);
  expect(() => datedChangelog('## 0.2.0 (unreleased)\n\n## 0.1.0\n', '0.2.0', 'x')).toThrow(/nothing/);
});

test.each([
  ['0.2.0', '0.1.9', true, true],
  ['0.10.0', '0.9.0', true, true],
  ['0.1.0', '0.1.0', false, true],
  ['0.1.0', '0.1.0', true, false],
  ['0.1.0', '0.2.0', false, false],
  ['1.0', '0.2.0', false, false],
])('%s after %s (tagged: %s): %s', (next, current, tagged, expected) => {
  expect(mayFollow(next, current, tagged)).toBe(expected);
});

test('writes the version where the workspace asks for its own packages too', () => {
  const manifest = {
    version: '0.1.0',
    dependencies: { ws: '8.0.0' },
    devDependencies: { '@wuts/sandbox': '0.1.0' },
  };
  expect(JSON.parse(withVersion(JSON.stringify(manifest), '0.2.0'))).toEqual({
    version: '0.2.0',
    dependencies: { ws: '8.0.0' },
    devDependencies: { '@wuts/sandbox': '0.2.0' },
  });
});

test('writes the version of the browser extension, and nothing else of it', () => {
  const file = join(import.meta.dirname, '../packages/passkey-extension/manifest.json');
  const before = readFileSync(file, 'utf8');
  const after = JSON.parse(withExtensionVersion(before, '9.8.7'));
  expect(after).toEqual({ ...JSON.parse(before), version: '9.8.7' });
});
