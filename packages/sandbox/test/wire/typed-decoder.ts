import { DOUBLE_BYTE_TOKENS, SINGLE_BYTE_TOKENS } from 'baileys/lib/WABinary/constants.js';

/** A JID as a value of its own kind, as whatsmeow's decoder gives it; `device` only where the wire names one. */
export interface TypedJid {
  readonly user: string;
  readonly server: string;
  readonly device?: number;
}

export interface TypedNode {
  readonly tag: string;
  readonly attrs: Readonly<Record<string, string | TypedJid | null>>;
  readonly content: TypedNode[] | Buffer | string | TypedJid | null;
}

type Value = string | TypedJid | Buffer | TypedNode[] | null;

const AD_SERVERS: Readonly<Record<number, string>> = {
  0: 's.whatsapp.net',
  1: 'lid',
  128: 'hosted',
  129: 'hosted.lid',
};

/**
 * Reads a stanza as whatsmeow does (binary/decoder.go), which tells JIDs from text where Baileys' decoder
 * makes both a string. Written for the tests; only the dictionary is taken from Baileys.
 */
export function decodeTyped(bytes: Buffer): TypedNode {
  let at = 0;
  const byte = (): number => {
    if (at >= bytes.length) throw new Error('the stanza ends too soon');
    at += 1;
    return bytes.readUInt8(at - 1);
  };
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new Error('the stanza ends too soon');
    at += length;
    return bytes.subarray(at - length, at);
  };
  const packed = (digits: string): string => {
    const start = byte();
    let text = '';
    for (let n = 0; n < (start & 127); n += 1) {
      const pair = byte();
      for (const half of [pair >> 4, pair & 15]) text += digits[half] ?? '\0';
    }
    return start >> 7 ? text.slice(0, -1) : text;
  };
  const listSize = (tag: number): number => {
    if (tag === 0) return 0;
    if (tag === 248) return byte();
    if (tag === 249) return byte() * 256 + byte();
    throw new Error(`no list begins with ${tag}`);
  };
  const text = (): string => {
    const value = read(true);
    if (typeof value !== 'string') throw new Error('text was expected');
    return value;
  };
  const sized = (length: number, asText: boolean): Value => {
    const raw = take(length);
    return asText ? raw.toString('utf8') : raw;
  };
  function read(asText: boolean): Value {
    const tag = byte();
    if (tag === 0) return null;
    if (tag === 248 || tag === 249) return Array.from({ length: listSize(tag) }, node);
    if (tag === 252) return sized(byte(), asText);
    if (tag === 253) return sized(((byte() & 15) << 16) + (byte() << 8) + byte(), asText);
    if (tag === 254) return sized(take(4).readUInt32BE(0), asText);
    if (tag >= 236 && tag <= 239) return DOUBLE_BYTE_TOKENS[tag - 236]?.[byte()] ?? null;
    if (tag === 250) return { user: (read(true) as string | null) ?? '', server: text() };
    if (tag === 247) {
      const server = AD_SERVERS[byte()];
      if (server === undefined) throw new Error('unknown domain of a JID with a device');
      const device = byte();
      return { user: text(), server, device };
    }
    if (tag === 255) return packed('0123456789-.');
    if (tag === 251) return packed('0123456789ABCDEF');
    const word = SINGLE_BYTE_TOKENS[tag];
    if (word === undefined || tag >= SINGLE_BYTE_TOKENS.length) throw new Error(`unknown token ${tag}`);
    return word;
  }
  function node(): TypedNode {
    const size = listSize(byte());
    const tag = text();
    const attrs: Record<string, string | TypedJid | null> = {};
    for (let n = 0; n < (size - 1) >> 1; n += 1) {
      const name = text();
      const value = read(true);
      if (Array.isArray(value) || Buffer.isBuffer(value)) throw new Error(`${name} is no attribute`);
      attrs[name] = value;
    }
    return { tag, attrs, content: size % 2 === 1 ? null : read(false) };
  }
  const read1 = node();
  if (at !== bytes.length) throw new Error(`${bytes.length - at} bytes are left over`);
  return read1;
}
