import type { BinaryNode } from 'baileys';
import { TAGS, TOKEN_MAP } from 'baileys/lib/WABinary/constants.js';

/**
 * The attributes that carry a JID. On the wire a JID is a value of its own kind, not text: whatsmeow
 * (binary/decoder.go) reads these into a type of their own and ignores what comes as text, so `from` of the
 * server has to be a JID with an empty user. Every other attribute (`notify`, `subject`, `name`…) is free text
 * and stays text, whatever it looks like.
 */
const JID_ATTRIBUTES: ReadonlySet<string> = new Set([
  'from',
  'to',
  'participant',
  'participant_pn',
  'participant_lid',
  'recipient',
  'recipient_pn',
  'recipient_lid',
  'sender_pn',
  'sender_lid',
  'peer_recipient_pn',
  'peer_recipient_lid',
  'jid',
  'pn_jid',
  'lid',
  'lid_jid',
  'phone_number',
  // The answer to a question for a LID: `<lid val>`.
  'val',
  'author',
  'creator',
  'creator_pn',
  's_o',
  's_o_pn',
  'call-creator',
  'caller_pn',
  'group-jid',
]);

/** Servers whose users have devices, with the number a JID with a device names them by (whatsmeow types/jid.go). */
const DEVICE_SERVERS: ReadonlyMap<string, number> = new Map([
  ['s.whatsapp.net', 0],
  ['lid', 1],
  ['hosted', 128],
  ['hosted.lid', 129],
]);
const SERVERS: ReadonlySet<string> = new Set([
  ...DEVICE_SERVERS.keys(),
  'c.us',
  'g.us',
  'broadcast',
  'newsletter',
  'bot',
  'call',
]);

/** Longer texts are not packed two digits to a byte. */
const PACKED_MAX = TAGS.PACKED_MAX;
const NIBBLES = '0123456789-.';
const HEX_DIGITS = '0123456789ABCDEF';
/** The second half of the last byte when the digits are odd in number. */
const PADDING = 15;

/** A stanza in WhatsApp's binary form, without the flags byte of a frame. Throws when a list is too long. */
export function encodeNode(node: BinaryNode): Buffer {
  const writer = new Writer();
  writer.node(node);
  return writer.bytes();
}

/** Collects the bytes of one stanza. */
class Writer {
  readonly #parts: Uint8Array[] = [];

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  node({ tag, attrs, content }: BinaryNode): void {
    const present = Object.entries(attrs);
    this.#listStart(1 + 2 * present.length + (content === undefined ? 0 : 1));
    this.#text(tag);
    for (const [name, value] of present) {
      this.#text(name);
      if (JID_ATTRIBUTES.has(name)) this.#jid(value);
      else this.#text(value);
    }
    if (typeof content === 'string') this.#text(content);
    else if (Array.isArray(content)) {
      this.#listStart(content.length);
      for (const child of content) this.node(child);
    } else if (content !== undefined) this.#binary(content);
  }

  /** A JID; what has not the form of one goes as text. A device is written even where it is 0, when it is named. */
  #jid(value: string): void {
    const at = value.lastIndexOf('@');
    const server = value.slice(at + 1);
    if (at < 0 || !SERVERS.has(server)) {
      this.#text(value);
      return;
    }
    const user = value.slice(0, at);
    const [, name, device] = /^([^:]+):(\d{1,3})$/.exec(user) ?? [];
    const domain = DEVICE_SERVERS.get(server);
    if (name !== undefined && domain !== undefined && Number(device) <= 0xff) {
      this.#push(TAGS.AD_JID, domain, Number(device));
      this.#text(name);
      return;
    }
    this.#push(TAGS.JID_PAIR);
    if (user === '') this.#push(TAGS.LIST_EMPTY);
    else this.#text(user);
    this.#text(server);
  }

  /** A word of the dictionary, packed digits, or UTF-8. */
  #text(value: string): void {
    // The dictionary's empty word would be read as nothing at all.
    const token = value !== '' && Object.hasOwn(TOKEN_MAP, value) ? TOKEN_MAP[value] : undefined;
    if (token) {
      if (token.dict !== undefined) this.#push(TAGS.DICTIONARY_0 + token.dict);
      this.#push(token.index);
    } else if (consistsOf(value, NIBBLES)) this.#packed(TAGS.NIBBLE_8, value, NIBBLES);
    else if (consistsOf(value, HEX_DIGITS)) this.#packed(TAGS.HEX_8, value, HEX_DIGITS);
    else this.#binary(Buffer.from(value, 'utf8'));
  }

  #packed(tag: number, value: string, digits: string): void {
    const odd = value.length % 2;
    this.#push(tag, Math.ceil(value.length / 2) | (odd << 7));
    for (let at = 0; at < value.length; at += 2) {
      const second = at + 1 < value.length ? digits.indexOf(value.charAt(at + 1)) : PADDING;
      this.#push((digits.indexOf(value.charAt(at)) << 4) | second);
    }
  }

  #binary(bytes: Uint8Array): void {
    const { length } = bytes;
    if (length < 0x100) this.#push(TAGS.BINARY_8, length);
    else if (length < 0x100000) this.#push(TAGS.BINARY_20, length >> 16, length >> 8, length);
    else this.#push(TAGS.BINARY_32, length >> 24, length >> 16, length >> 8, length);
    this.#parts.push(bytes);
  }

  #listStart(length: number): void {
    if (length > 0xffff) throw new Error(`a list of ${length} does not fit a stanza`);
    if (length === 0) this.#push(TAGS.LIST_EMPTY);
    else if (length < 0x100) this.#push(TAGS.LIST_8, length);
    else this.#push(TAGS.LIST_16, length >> 8, length);
  }

  #push(...bytes: number[]): void {
    this.#parts.push(Uint8Array.from(bytes));
  }
}

function consistsOf(value: string, digits: string): boolean {
  if (value === '' || value.length > PACKED_MAX) return false;
  for (const char of value) if (!digits.includes(char)) return false;
  return true;
}
