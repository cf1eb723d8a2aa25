import { addTransactionCapability, DEFAULT_CONNECTION_CONFIG } from 'baileys';
import { pino } from 'pino';
import { WHATSMEOW } from '../../../src/moving/formats/whatsmeow/format.ts';
import { loadAuthState } from '../../../src/whatsapp/baileys/connection/auth-state.ts';
import { encodeStoredValue } from '../../../src/whatsapp/baileys/connection/stored-values.ts';
import type { HeldKey, HeldSession } from '../../../src/whatsapp/port/moving.ts';
import { MemoryCredentials } from '../../whatsapp/memory-credentials.ts';
import { handedFiles } from '../handed-files.ts';
import { GROUP, SAMPLE_STORE } from './sample-store.ts';

type Repository = ReturnType<(typeof DEFAULT_CONNECTION_CONFIG)['makeSignalRepository']>;

/** A device of the sample store, read by the format and gone on with by the library. */
export class MovedIn {
  readonly held: HeldSession;
  readonly keys: HeldKey[];
  readonly lid: string;
  readonly #repository: Promise<Repository>;

  constructor(device: string, store: Uint8Array = SAMPLE_STORE) {
    const found = WHATSMEOW.recognise(handedFiles({ 'store.db': store }));
    const session = found?.sessions.find(({ name }) => name === device);
    if (!session) throw new Error(`the store has no ${device}`);
    this.held = session.read();
    this.keys = [...this.held.keys];
    this.lid = (this.held.creds as { me: { lid: string } }).me.lid;
    this.#repository = repositoryOf(this.held, this.keys);
  }

  /** What was written to this device. */
  async open(from: string, type: 'msg' | 'pkmsg' | 'skmsg', ciphertext: Uint8Array): Promise<string> {
    const repository = await this.#repository;
    const plaintext =
      type === 'skmsg'
        ? await repository.decryptGroupMessage({ group: GROUP, authorJid: from, msg: ciphertext })
        : await repository.decryptMessage({ jid: from, type, ciphertext });
    return Buffer.from(plaintext).toString();
  }

  async write(to: string, text: string): Promise<{ type: 'pkmsg' | 'msg'; ciphertext: Uint8Array }> {
    return (await this.#repository).encryptMessage({ jid: to, data: Buffer.from(text) });
  }

  async writeToGroup(text: string): Promise<Uint8Array> {
    const message = { group: GROUP, meId: this.lid, data: Buffer.from(text) };
    return (await (await this.#repository).encryptGroupMessage(message)).ciphertext;
  }

  /** Values of a key type by id. */
  of(type: string): Map<string, unknown> {
    return new Map(this.keys.filter((key) => key.type === type).map(({ id, value }) => [id, value]));
  }
}

async function repositoryOf(held: HeldSession, keys: HeldKey[]): Promise<Repository> {
  const store = new MemoryCredentials();
  await store.write(
    keys.flatMap(({ type, id, value }) =>
      value === null ? [] : [{ type, id, value: encodeStoredValue(value) }],
    ),
  );
  const logger = pino({ level: 'silent' });
  const inTransactions = addTransactionCapability((await loadAuthState(store)).keys, logger, {
    maxCommitRetries: 1,
    delayBetweenTriesMs: 1,
  });
  const auth = { creds: held.creds as never, keys: inTransactions };
  return DEFAULT_CONNECTION_CONFIG.makeSignalRepository(auth, logger, async () => []);
}
