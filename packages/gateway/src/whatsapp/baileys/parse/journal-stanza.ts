import { type BinaryNode, decodeBinaryNode } from '../library.ts';

/**
 * The first byte of our encoding. The library's codec, in which rows of earlier releases are, begins with its
 * flags: 0, or 2 for a compressed node (socket `decodeDecompressedBinaryNode`).
 */
const OWN_ENCODING = 1;

/** A stanza as the journal keeps it. */
export interface JournaledStanza {
  stanza: BinaryNode;
  /** Its ciphertext could not be opened: the plaintext of the row is empty. */
  unread: boolean;
}

/** Attributes as pairs, so that no name is special; bytes as base64 in an object. */
type Encoded = [tag: string, attrs: [string, string][], content?: Encoded[] | { bytes: string } | string];

/**
 * A stanza as bytes, with every attribute as it came. The library's codec is for what it sends itself: it takes
 * a text with an `@` for a JID, and a push name such as `call me @` throws or comes back as another text.
 * JSON escapes lone surrogates, so no text is changed by UTF-8.
 */
export function encodeStanza(stanza: BinaryNode, options: { unread?: boolean } = {}): Uint8Array {
  const json = JSON.stringify({ stanza: encoded(stanza), ...(options.unread ? { unread: true } : {}) });
  return Buffer.concat([Buffer.from([OWN_ENCODING]), Buffer.from(json)]);
}

/** The inverse; also of what earlier releases wrote. Throws for bytes that are neither. */
export async function decodeStanza(bytes: Uint8Array): Promise<JournaledStanza> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer[0] !== OWN_ENCODING) return { stanza: await decodeBinaryNode(buffer), unread: false };
  const { stanza, unread } = JSON.parse(buffer.toString('utf8', 1)) as { stanza: Encoded; unread?: boolean };
  return { stanza: decoded(stanza), unread: unread === true };
}

function encoded({ tag, attrs, content }: BinaryNode): Encoded {
  const pairs = Object.entries(attrs);
  if (content === undefined) return [tag, pairs];
  if (Array.isArray(content)) return [tag, pairs, content.map(encoded)];
  if (typeof content === 'string') return [tag, pairs, content];
  return [tag, pairs, { bytes: Buffer.from(content).toString('base64') }];
}

function decoded([tag, pairs, content]: Encoded): BinaryNode {
  const node: BinaryNode = { tag, attrs: Object.fromEntries(pairs) };
  if (Array.isArray(content)) node.content = content.map(decoded);
  else if (typeof content === 'object') node.content = Buffer.from(content.bytes, 'base64');
  else if (content !== undefined) node.content = content;
  return node;
}
