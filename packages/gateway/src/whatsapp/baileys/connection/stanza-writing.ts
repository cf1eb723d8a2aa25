import { assertNodeErrorFree, type BinaryNode, encodeBinaryNode, type Socket } from '../library.ts';

/**
 * The JIDs that the library's encoder writes as they are. It takes every text with an @ for one, and of the
 * rest it makes another JID, or one without a server, for which the server ends the stream.
 */
const WRITABLE_JID =
  /^[^@:_]*@[a-z.]+$|^[^@:_]+:(?:25[0-5]|2[0-4]\d|1?\d?\d)@(?:s\.whatsapp\.net|lid|hosted|hosted\.lid)$/;
/** Attributes in which people's own words stand: with an @ in them they are no JIDs either. */
const WORDS_OF_PEOPLE: ReadonlySet<string> = new Set(['name', 'subject']);
/** `[flags, list, length]`: what stands before the tag of a stanza without attributes. */
const HEAD_BYTES = 3;
const [FLAGS = 0, LIST_8 = 0] = encodeBinaryNode({ tag: 'ack', attrs: {} });
/** The list after LIST_8, with a length of two bytes (WABinary constants.js). */
const LIST_16 = LIST_8 + 1;
const LIST_8_MOST = 255;
const BEFORE_CONTENT = encodeBinaryNode({ tag: 'ack', attrs: {} }).length;

/** Whether the library's encoder writes a word of a stanza so that it is read as the same one. */
export function isWritable(text: string): boolean {
  const [user = ''] = text.split('@', 1);
  // The encoder looks words up in a plain object, and finds `constructor` there.
  if (user in Object.prototype) return false;
  return user === text || WRITABLE_JID.test(text);
}

/**
 * From here on, what is sent by `socket` holds every text as it is: names and subjects are people's own words. What the
 * library sends by itself it encodes by itself; for that see `unwritable-names.ts` and `own-name.ts`.
 */
export function writeTexts(socket: Socket): void {
  const { generateMessageTag, query, sendNode, sendRawMessage, waitForMessage } = socket;
  socket.sendNode = (stanza) => (isOrdinary(stanza) ? sendNode(stanza) : sendRawMessage(writeStanza(stanza)));
  // As the library's own (socket.js `query`).
  socket.query = async (stanza: BinaryNode, timeoutMs?: number) => {
    if (isOrdinary(stanza)) return query(stanza, timeoutMs);
    const { id = generateMessageTag() } = stanza.attrs;
    const bytes = writeStanza({ ...stanza, attrs: { ...stanza.attrs, id } });
    const [answer] = await Promise.all([waitForMessage<BinaryNode>(id, timeoutMs), sendRawMessage(bytes)]);
    if (answer) assertNodeErrorFree(answer);
    return answer;
  };
}

/** The stanza as bytes (WABinary encode.js), with text where the library's encoder has no form for a word. */
export function writeStanza(stanza: BinaryNode): Uint8Array {
  return Buffer.concat([Buffer.of(FLAGS), ...written(stanza)]);
}

function isOrdinary({ attrs, content }: BinaryNode): boolean {
  const ordinary = Object.entries(attrs).every(([name, value]) => !value || !isText(name, value));
  return ordinary && (!Array.isArray(content) || content.every(isOrdinary));
}

function isText(name: string, value: string): boolean {
  return value === '' || !isWritable(value) || (WORDS_OF_PEOPLE.has(name) && value.includes('@'));
}

function written({ tag, attrs, content }: BinaryNode): Uint8Array[] {
  const pairs = Object.entries(attrs).flatMap(([name, value]) =>
    value === undefined ? [] : [word(name), isText(name, value) ? text(value) : word(value)],
  );
  const words = [word(tag), ...pairs];
  return [list(words.length + (content === undefined ? 0 : 1)), ...words, ...writtenContent(content)];
}

function writtenContent(content: BinaryNode['content']): Uint8Array[] {
  if (content === undefined) return [];
  if (Array.isArray(content)) return [list(content.length), ...content.flatMap(written)];
  return [encodeBinaryNode({ tag: 'ack', attrs: {}, content }).subarray(BEFORE_CONTENT)];
}

function list(length: number): Uint8Array {
  return length <= LIST_8_MOST ? Buffer.of(LIST_8, length) : Buffer.of(LIST_16, length >> 8, length & 0xff);
}

function word(value: string): Uint8Array {
  return encodeBinaryNode({ tag: value, attrs: {} }).subarray(HEAD_BYTES);
}

function text(value: string): Uint8Array {
  return encodeBinaryNode({ tag: 'ack', attrs: {}, content: Buffer.from(value) }).subarray(BEFORE_CONTENT);
}
