/**
 * What a sandbox keeps in a folder, so that devices linked to it are still linked when it starts again: its keys and
 * certificates, the state of the network, and what its phones need to be the same phones. What was said on the phones
 * is not kept.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { CdnCertificate } from './cdn/certificate.ts';
import type { CdnObject } from './cdn/objects.ts';
import type { KeptNetwork } from './network/network.ts';
import type { KeptPhone } from './phones/phone.ts';
import type { NoiseCertificates } from './wire/certificates.ts';

/** What stays the same as long as the folder is there. */
export interface KeptIdentity {
  readonly certificates: NoiseCertificates;
  readonly cdnCertificate: CdnCertificate;
  /** The token that `media_conn` hands out: clients use it after a restart as well. */
  readonly authToken: string;
}

export interface KeptState {
  /** On the CDN; app state refers to them. */
  readonly files: readonly CdnObject[];
  readonly network: KeptNetwork;
  readonly phones: readonly KeptPhone[];
}

/** Of this layout of the files; another one is refused. */
const VERSION = 1;
/** Whoever kills the sandbox loses what came after the last writing. */
const EVERY_MS = 1000;

export class DataFolder {
  readonly #path: string;
  #timer: NodeJS.Timeout | undefined;
  #written: Buffer | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string) {
    this.#path = path;
  }

  /** Makes the folder when it is missing. Only its owner may look inside: the keys are not encrypted. */
  static async open(path: string): Promise<DataFolder> {
    await mkdir(path, { recursive: true, mode: 0o700 });
    return new DataFolder(path);
  }

  /** Where the CA is for clients to trust. */
  get caFile(): string {
    return join(this.#path, 'media-ca.pem');
  }

  /** The identity of the folder, made by `make` the first time. */
  async identity(make: () => Promise<KeptIdentity>): Promise<KeptIdentity> {
    const kept = await this.#read<KeptIdentity>('identity');
    if (kept) return kept;
    const made = await make();
    await this.#write('identity', packed(made));
    return made;
  }

  /** The state as it was written last; undefined in a new folder. */
  state(): Promise<KeptState | undefined> {
    return this.#read<KeptState>('state');
  }

  /** Writes what `state` says now and then, when it has changed. */
  keep(state: () => KeptState): void {
    this.#timer = setInterval(() => void this.save(state), EVERY_MS);
    this.#timer.unref();
  }

  /** Writes the state at once, for the last time. */
  async close(state: () => KeptState): Promise<void> {
    clearInterval(this.#timer);
    await this.save(state);
  }

  /** Resolves when the state of this moment is written; one writing after the other. */
  save(state: () => KeptState): Promise<void> {
    const bytes = packed(state());
    if (this.#written?.equals(bytes)) return this.#writing;
    this.#written = bytes;
    this.#writing = this.#writing.then(() => this.#write('state', bytes));
    return this.#writing;
  }

  async #read<T>(name: string): Promise<T | undefined> {
    let bytes: Buffer;
    try {
      bytes = await readFile(join(this.#path, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    const { version, value } = deserialize(bytes) as { version: number; value: T };
    if (version !== VERSION)
      throw new Error(`${join(this.#path, name)} is of another version of the sandbox`);
    return value;
  }

  /** As a whole or not at all. */
  async #write(name: string, bytes: Buffer): Promise<void> {
    const path = join(this.#path, name);
    await writeFile(`${path}.new`, bytes, { mode: 0o600 });
    await rename(`${path}.new`, path);
  }
}

/** Objects that refer to each other still do when they are read again. */
function packed(value: unknown): Buffer {
  return serialize({ version: VERSION, value });
}
