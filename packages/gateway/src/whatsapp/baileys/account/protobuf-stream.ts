/** A length-delimited field of a protobuf message, read from a stream. */
export interface StreamedField {
  field: number;
  bytes: Buffer;
}

/** The stream is not a protobuf message, or ends within one. */
export class MalformedStream extends Error {
  constructor(detail: string) {
    super(`not a protobuf message: ${detail}`);
    this.name = 'MalformedStream';
  }
}

/**
 * Yields the wanted length-delimited fields of a message one by one, holding no more than one of them: a
 * history file inflates to hundreds of megabytes. Fields longer than `maxBytes` are passed over and told to
 * `tooLong`. Encoding: protobuf.dev "Encoding", wire types 0, 1, 2 and 5.
 */
export async function* streamFields(
  source: AsyncIterable<Uint8Array>,
  wanted: ReadonlySet<number>,
  maxBytes: number,
  tooLong: (field: number, bytes: number) => void = () => undefined,
): AsyncGenerator<StreamedField> {
  const reader = new StreamReader(source);
  try {
    for (;;) {
      const tag = await reader.varint(true);
      if (tag === null) return;
      const field = Math.floor(tag / 8);
      switch (tag % 8) {
        case 0:
          await reader.varint(false);
          break;
        case 1:
          await reader.skip(8);
          break;
        case 5:
          await reader.skip(4);
          break;
        case 2: {
          const length = (await reader.varint(false)) ?? 0;
          if (wanted.has(field) && length <= maxBytes) {
            yield { field, bytes: await reader.take(length) };
            break;
          }
          if (wanted.has(field)) tooLong(field, length);
          await reader.skip(length);
          break;
        }
        default:
          throw new MalformedStream(`wire type ${tag % 8}`);
      }
    }
  } finally {
    await reader.close();
  }
}

class StreamReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  #offset = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  /** Null at the end of the stream, where `mayEnd`. */
  async varint(mayEnd: boolean): Promise<number | null> {
    let value = 0;
    let factor = 1;
    for (let position = 0; position < 10; position += 1) {
      if (!(await this.#fill())) {
        if (mayEnd && position === 0) return null;
        throw new MalformedStream('it ends within a number');
      }
      const byte = this.#chunk[this.#offset] ?? 0;
      this.#offset += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
    throw new MalformedStream('a number of more than ten bytes');
  }

  async take(length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(length);
    let filled = 0;
    await this.#walk(length, (piece) => {
      bytes.set(piece, filled);
      filled += piece.length;
    });
    return bytes;
  }

  async skip(length: number): Promise<void> {
    await this.#walk(length, () => undefined);
  }

  async #walk(length: number, visit: (piece: Uint8Array) => void): Promise<void> {
    let left = length;
    while (left > 0) {
      if (!(await this.#fill())) throw new MalformedStream('it ends within a field');
      const piece = this.#chunk.subarray(this.#offset, this.#offset + left);
      visit(piece);
      this.#offset += piece.length;
      left -= piece.length;
    }
  }

  async #fill(): Promise<boolean> {
    while (this.#offset >= this.#chunk.length) {
      const next = await this.#chunks.next();
      if (next.done) return false;
      this.#chunk = next.value;
      this.#offset = 0;
    }
    return true;
  }
}
