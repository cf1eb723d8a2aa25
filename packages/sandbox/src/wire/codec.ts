import { inflateSync } from 'node:zlib';
import { type BinaryNode, decodeDecompressedBinaryNode } from 'baileys';
import * as dictionary from 'baileys/lib/WABinary/constants.js';
import { encodeNode } from './encode.ts';

const UNCOMPRESSED = Buffer.from([0]);
const COMPRESSED_FLAG = 2;

/** One stanza as the bytes of a frame, uncompressed (flag byte 0, as clients accept). */
export function encodeStanza(node: BinaryNode): Buffer {
  return Buffer.concat([UNCOMPRESSED, encodeNode(node)]);
}

/**
 * Reads one frame. Synchronous, so that stanzas of a connection are handled in the order they came;
 * the first byte's bit 1 says that the rest is zlib-deflated (Baileys WABinary/decode.js).
 */
export function decodeStanza(frame: Buffer): BinaryNode {
  const flags = frame[0] ?? 0;
  const body = frame.subarray(1);
  const plain = (flags & COMPRESSED_FLAG) === COMPRESSED_FLAG ? inflateSync(body) : body;
  return decodeDecompressedBinaryNode(plain, dictionary);
}
