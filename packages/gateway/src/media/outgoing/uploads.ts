/** Files that came as parts of a multipart request, until their message has left. */
import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Scratch } from '../../storage/scratch.ts';
import { typeOfFile } from '../first-bytes.ts';
import { tooLargeMedia } from './base64.ts';
import type { OpenedSource } from './fetch-source.ts';

export interface Upload {
  /** Stands for the file where base64 would stand; only this process knows it, and only for the request. */
  token: string;
  /** SHA-256, hex: two requests with the same file are the same. */
  sha256: string;
  /** Bytes. */
  size: number;
  dispose(): Promise<void>;
}

const PREFIX = 'wuts-upload:';

export class Uploads {
  readonly #files = new Map<string, OpenedSource>();
  readonly #scratch: Scratch;

  constructor(scratch: Scratch) {
    this.#scratch = scratch;
  }

  /** Streams a part to a temporary file. Throws PAYLOAD_TOO_LARGE. `type` is what its header says. */
  async receive(part: Readable, options: { field: string; type: string; maxBytes: number }): Promise<Upload> {
    const folder = await this.#scratch.folder();
    const path = join(folder.path, 'file');
    const hash = createHash('sha256');
    let size = 0;
    const { field, maxBytes } = options;
    const token = `${PREFIX}${randomUUID()}`;
    const dispose = async (): Promise<void> => {
      this.#files.delete(token);
      await folder.dispose();
    };
    try {
      const counted = async function* (): AsyncGenerator<Buffer> {
        for await (const chunk of part as AsyncIterable<Buffer>) {
          size += chunk.length;
          if (size > maxBytes) throw tooLargeMedia(field, `it is larger than ${maxBytes} bytes`);
          hash.update(chunk);
          yield chunk;
        }
      };
      await pipeline(
        Readable.from(counted(), { objectMode: false }),
        createWriteStream(path, { mode: 0o600 }),
      );
      const sha256 = hash.digest('hex');
      const type = options.type.split(';')[0]?.trim().toLowerCase() ?? '';
      this.#files.set(token, {
        content: { path },
        size,
        sha256,
        declaredType: type === '' || type === 'application/octet-stream' ? null : type,
        detectedType: await typeOfFile(path),
        downloadMs: null,
        // The code that received it disposes of it: a message may be composed twice.
        dispose: async () => undefined,
      });
      return { token, sha256, size, dispose };
    } catch (error) {
      await dispose();
      throw error;
    }
  }

  /** A file in memory. Disposing of it lets it go. */
  hold(file: {
    bytes: Uint8Array;
    sha256: string;
    declaredType: string | null;
    detectedType: string | null;
  }): Upload {
    const { bytes, sha256, declaredType, detectedType } = file;
    const size = bytes.length;
    const { token, release } = this.adopt({ content: { bytes }, size, sha256, declaredType, detectedType });
    return { token, sha256, size, dispose: async () => release() };
  }

  /** A file that lies somewhere already: its token, good until `release`. */
  adopt(file: Pick<OpenedSource, 'content' | 'size' | 'sha256' | 'declaredType' | 'detectedType'>): {
    token: string;
    release(): void;
  } {
    const token = `${PREFIX}${randomUUID()}`;
    this.#files.set(token, { ...file, downloadMs: null, dispose: async () => undefined });
    return { token, release: () => void this.#files.delete(token) };
  }

  /** The file behind a token; null for any other text. */
  find(text: string): OpenedSource | null {
    return text.startsWith(PREFIX) ? (this.#files.get(text) ?? null) : null;
  }
}
