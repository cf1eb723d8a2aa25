import type { BinaryNode } from 'baileys';

/** Attributes as handlers write them: an `undefined` value leaves the attribute out. */
export type StanzaAttributes = Record<string, string | undefined>;

/** The server's own JID, as `from` of its stanzas: one with an empty user (whatsmeow types/jid.go ServerJID). */
export const SERVER_JID = '@s.whatsapp.net';

/** Builds a stanza, leaving out attributes that are `undefined`. */
export function stanza(
  tag: string,
  attrs: StanzaAttributes = {},
  content?: BinaryNode['content'],
): BinaryNode {
  const present: Record<string, string> = {};
  for (const key in attrs) {
    const value = attrs[key];
    if (value !== undefined) present[key] = value;
  }
  return content === undefined ? { tag, attrs: present } : { tag, attrs: present, content };
}

/** The child nodes; empty when the content is text, bytes or absent. */
export function childrenOf(node: BinaryNode | undefined): readonly BinaryNode[] {
  return Array.isArray(node?.content) ? node.content : [];
}

/** The first child with this tag. */
export function childNamed(node: BinaryNode | undefined, tag: string): BinaryNode | undefined {
  if (!Array.isArray(node?.content)) return undefined;
  for (const child of node.content) if (child.tag === tag) return child;
  return undefined;
}

/** All children with this tag. */
export function childrenNamed(node: BinaryNode | undefined, tag: string): BinaryNode[] {
  return childrenOf(node).filter((child) => child.tag === tag);
}

/**
 * The content as bytes. The codec turns some short strings into tokens or packed digits, so content that
 * a client wrote as bytes or as text may arrive as either.
 */
export function bytesOf(node: BinaryNode | undefined): Buffer | undefined {
  const content = node?.content;
  if (typeof content === 'string') return Buffer.from(content, 'utf8');
  if (content instanceof Uint8Array) {
    return Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  }
  return undefined;
}

/** The content as text. */
export function textOf(node: BinaryNode | undefined): string | undefined {
  return bytesOf(node)?.toString('utf8');
}

/** The content as a big-endian unsigned integer (pre-key and registration ids). */
export function uintOf(node: BinaryNode | undefined): number | undefined {
  const bytes = bytesOf(node);
  return bytes && bytes.length > 0 && bytes.length <= 6 ? bytes.readUIntBE(0, bytes.length) : undefined;
}

/** Seconds since the epoch as the `t` attribute carries them. */
export function timestamp(): string {
  return String(Math.floor(Date.now() / 1000));
}
