/** The first bytes of every connection: 'WA', protocol version 6, dictionary version 3. */
const HEADER_BYTES = 4;
const ROUTING_PREFIX_BYTES = 7;
const LENGTH_BYTES = 3;
const MAX_FRAME_BYTES = 0xffffff;

/**
 * Cuts a connection's bytes into frames: once the header, optionally preceded by edge routing data
 * (`ED`, 0, 1, a 3-byte length, the data: Baileys noise-handler.js introHeader), then frames of a 3-byte
 * big-endian length and their body. A WebSocket message may hold a part of a frame or several.
 */
export class FrameReader {
  #buffered: Buffer = Buffer.alloc(0);
  #header: Buffer | undefined;

  /** The connection header, once it has come: the prologue of the handshake. */
  get header(): Buffer | undefined {
    return this.#header;
  }

  /** Adds bytes and returns the frames that are complete. Throws when the header is not WhatsApp's. */
  push(data: Buffer): Buffer[] {
    this.#buffered = this.#buffered.length === 0 ? data : Buffer.concat([this.#buffered, data]);
    if (!this.#header && !this.#readHeader()) return [];
    const frames: Buffer[] = [];
    for (;;) {
      if (this.#buffered.length < LENGTH_BYTES) break;
      const end = LENGTH_BYTES + this.#buffered.readUIntBE(0, LENGTH_BYTES);
      if (this.#buffered.length < end) break;
      frames.push(this.#buffered.subarray(LENGTH_BYTES, end));
      this.#buffered = this.#buffered.subarray(end);
    }
    return frames;
  }

  #readHeader(): boolean {
    const bytes = this.#buffered;
    let start = 0;
    if (bytes.length >= 2 && bytes.toString('latin1', 0, 2) === 'ED') {
      if (bytes.length < ROUTING_PREFIX_BYTES) return false;
      start = ROUTING_PREFIX_BYTES + bytes.readUIntBE(4, 3);
    }
    if (bytes.length < start + HEADER_BYTES) return false;
    const header = bytes.subarray(start, start + HEADER_BYTES);
    if (header.toString('latin1', 0, 2) !== 'WA') throw new Error('not a WhatsApp connection header');
    this.#header = Buffer.from(header);
    this.#buffered = bytes.subarray(start + HEADER_BYTES);
    return true;
  }
}

/** A frame with its length in front. Throws when the body does not fit the 3-byte length. */
export function frame(body: Uint8Array): Buffer {
  if (body.length > MAX_FRAME_BYTES) throw new Error(`frame of ${body.length} bytes`);
  const framed = Buffer.allocUnsafe(LENGTH_BYTES + body.length);
  framed.writeUIntBE(body.length, 0, LENGTH_BYTES);
  framed.set(body, LENGTH_BYTES);
  return framed;
}
