/** Stanzas as bytes: every word is read as the one that was written, whatever it looks like. */
import { type BinaryNode, decodeBinaryNode, encodeBinaryNode } from 'baileys';
import { expect, test } from 'vitest';
import { isWritable, writeStanza } from '../../src/whatsapp/baileys/connection/stanza-writing.ts';

const read = (bytes: Uint8Array) => decodeBinaryNode(Buffer.from(bytes));

const withAll = (value: string): BinaryNode => ({
  tag: 'iq',
  attrs: { id: '1.2-3', to: '@g.us', xmlns: 'w:g2', type: value, subject: value },
  content: [
    {
      tag: 'create',
      attrs: { name: value, jid: '5511999990001:12@s.whatsapp.net' },
      content: Buffer.from('ok'),
    },
    { tag: 'participant', attrs: { error: value }, content: [] },
  ],
});

const TEXTS = [
  'me@work',
  'call me @',
  '@',
  'a_1:2@x',
  'a@b@s.whatsapp.net',
  '1:299@lid',
  'constructor',
  '__proto__',
  '',
  'Zoë 👩‍👩‍👧',
  'x'.repeat(70_000),
  `${'x'.repeat(300)}@`,
];

test.each(TEXTS.map((text) => [text.slice(0, 20), text]))('%s is read as it was written', async (_, text) => {
  const stanza = withAll(text);
  expect(await read(writeStanza(stanza))).toEqual(stanza);
});

test.each([
  '5511999990001@s.whatsapp.net',
  'set',
  '1234567890',
  'ABCDEF',
  'status@broadcast',
  'hello',
])('what the library writes well is written as it does: %s', (word) => {
  expect(isWritable(word)).toBe(true);
  const members = Array.from({ length: 300 }, (_, n) => ({ tag: 'user', attrs: { jid: `${n}@lid` } }));
  const stanza = { tag: 'iq', attrs: { id: 'x', to: word }, content: members };
  expect(Buffer.from(writeStanza(stanza))).toEqual(Buffer.from(encodeBinaryNode(stanza)));
});
