/** Values that strangers may write where a text, a JID or bytes are read. */
import type { BinaryNode } from 'baileys';
import type { Chance } from '../crash/chance.ts';

const TEXTS = [
  'call me @',
  '@',
  '@s.whatsapp.net',
  '@g.us',
  'a@b@s.whatsapp.net',
  'status@broadcast',
  '0@s.whatsapp.net',
  '1:99@lid',
  '',
  ' ',
  '0',
  '-1',
  '9'.repeat(40),
  '1e309',
  'NaN',
  '__proto__',
  'constructor',
  'null',
  '\u0000',
  '\u202e\ufeff',
  '\ud83d\udc68\u200d\ud83d\udc69',
  'x'.repeat(5000),
  '../../etc/passwd',
  "'; DROP TABLE messages; --",
  '{"a":',
  '%00%ff',
] as const;

/** A text that is seldom meant well. */
export function oddText(chance: Chance): string {
  if (chance.hits(0.7)) return chance.pick(TEXTS);
  return Array.from({ length: chance.integer(1, 30) }, () =>
    String.fromCodePoint(chance.hits(0.8) ? chance.integer(32, 126) : chance.integer(160, 0xd7ff)),
  ).join('');
}

/** Bytes of any kind: the same one many times, or any. */
export function oddBytes(chance: Chance): Buffer {
  const length = chance.hits(0.9) ? chance.integer(0, 200) : chance.integer(0, 60_000);
  return chance.hits(0.3)
    ? Buffer.alloc(length, chance.pick([0xff, 0x00, 0x0a, 0x80]))
    : chance.bytes(length);
}

/** Bytes with some changed, left out, repeated or cut off. */
export function mutated(chance: Chance, bytes: Uint8Array): Buffer {
  let changed: Buffer = Buffer.from(bytes);
  for (let n = chance.integer(1, 4); n > 0; n -= 1) {
    const at = chance.integer(0, changed.length);
    const end = Math.min(at + chance.integer(1, 8), changed.length);
    const [before, middle, after] = [
      changed.subarray(0, at),
      changed.subarray(at, end),
      changed.subarray(end),
    ];
    const kind = chance.pick(['change', 'cut', 'leave out', 'repeat', 'insert'] as const);
    if (kind === 'change') changed = Buffer.concat([before, chance.bytes(middle.length), after]);
    else if (kind === 'cut') changed = Buffer.from(before);
    else if (kind === 'leave out') changed = Buffer.concat([before, after]);
    else if (kind === 'repeat') changed = Buffer.concat([before, middle, middle, after]);
    else changed = Buffer.concat([before, oddBytes(chance).subarray(0, 50), middle, after]);
  }
  return changed;
}

/** Some attributes of the given names with odd values. */
export function oddAttributes(chance: Chance, names: readonly string[]): Record<string, string> {
  const count = chance.integer(0, 5);
  return Object.fromEntries(Array.from({ length: count }, () => [chance.pick(names), oddText(chance)]));
}

/** Children of the given tags, some of them nested deep. */
export function oddChildren(chance: Chance, tags: readonly string[], names: readonly string[]): BinaryNode[] {
  const node = (depth: number): BinaryNode => {
    const base = { tag: chance.pick(tags), attrs: oddAttributes(chance, names) };
    if (depth > 0 && chance.hits(0.4)) return { ...base, content: [node(depth - 1)] };
    if (chance.hits(0.4)) return { ...base, content: oddBytes(chance) };
    return base;
  };
  return Array.from({ length: chance.integer(0, 3) }, () => node(chance.hits(0.1) ? 200 : 3));
}

/** The stanza with some of its attributes, children and contents changed, left out or repeated; not its own attributes. */
export function oddlyAnswered(chance: Chance, { tag, attrs, content }: BinaryNode): BinaryNode {
  if (!Array.isArray(content))
    return { tag, attrs, ...(chance.hits(0.5) ? { content: oddBytes(chance) } : {}) };
  return { tag, attrs, content: content.flatMap((child) => oddly(chance, child)) };
}

function oddly(chance: Chance, { tag, attrs, content }: BinaryNode): BinaryNode[] {
  const kept = Object.entries(attrs).filter(() => chance.hits(0.93));
  const changed = kept.map(([name, value]) => [name, chance.hits(0.93) ? value : oddText(chance)]);
  const node: BinaryNode = { tag: chance.hits(0.97) ? tag : 'novelty', attrs: Object.fromEntries(changed) };
  if (Array.isArray(content)) node.content = content.flatMap((child) => oddly(chance, child));
  else if (content instanceof Uint8Array)
    node.content = chance.hits(0.9) ? content : mutated(chance, content);
  else if (content !== undefined) node.content = content;
  if (chance.hits(0.04)) delete node.content;
  if (chance.hits(0.02)) return [node, node];
  return chance.hits(0.03) ? [] : [node];
}
