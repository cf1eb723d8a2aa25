import { expect, test } from 'vitest';
import { fc } from '../../../../sandbox/test/random.ts';
import { type BinaryNode, encodeBinaryNode } from '../../../src/whatsapp/baileys/library.ts';
import { decodeStanza, encodeStanza } from '../../../src/whatsapp/baileys/parse/journal-stanza.ts';

/** Every text that JavaScript can hold, and those that the wire codec has a form of its own for. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 })
    .map((units) => String.fromCharCode(...units)),
  fc.constantFrom(
    '',
    '@',
    'call me @',
    '@s.whatsapp.net',
    'a@b@c',
    '1:2@lid',
    '\0',
    '\ud800',
    '0123-.',
    'ABCDEF',
  ),
  fc.tuple(fc.string(), fc.string()).map(([before, behind]) => `${before}@${behind}`),
  fc.constant('long '.repeat(20_000)),
);
const attrs = fc.dictionary(fc.oneof(anyText, fc.constant('__proto__')), anyText, { maxKeys: 8 });
const { node } = fc.letrec<{ node: BinaryNode }>((tie) => ({
  node: fc.record(
    {
      tag: anyText,
      attrs,
      content: fc.oneof(
        { maxDepth: 3 },
        anyText,
        fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
        fc.array(tie('node'), { maxLength: 3 }),
      ),
    },
    { requiredKeys: ['tag', 'attrs'] },
  ) as fc.Arbitrary<BinaryNode>,
}));

test('a stanza comes back from the journal as it was', async () => {
  await fc.assert(
    fc.asyncProperty(node, fc.boolean(), async (stanza, unread) => {
      const kept = await decodeStanza(encodeStanza(stanza, { unread }));
      expect(kept.unread).toBe(unread);
      expect(plain(kept.stanza)).toEqual(plain(stanza));
    }),
    { numRuns: 300 },
  );
});

test('rows that an earlier release wrote are read', async () => {
  const stanza = { tag: 'message', attrs: { from: '1@s.whatsapp.net', id: '3EB0', notify: 'Ana' } };
  expect(await decodeStanza(encodeBinaryNode(stanza))).toEqual({ stanza, unread: false });
});

test.each([
  ['nothing', []],
  ['half of ours', [1, 0x7b]],
  ['an unknown encoding', [9, 9, 9]],
])('%s is refused', async (_what, bytes) => {
  await expect(decodeStanza(Uint8Array.from(bytes))).rejects.toThrow();
});

/** Attributes as pairs: `toEqual` would look through an object whose prototype was changed. */
function plain({ tag, attrs, content }: BinaryNode): unknown {
  const inner = Array.isArray(content) ? content.map(plain) : content;
  return [tag, Object.entries(attrs), inner];
}
