import { addTransactionCapability, DEFAULT_CONNECTION_CONFIG, type SignalDataSet } from 'baileys';
import { pino } from 'pino';
import { WHATSMEOW } from '../../../src/moving/formats/whatsmeow/format.ts';
import { silenceLibsignal } from '../../../src/whatsapp/baileys/connection/quiet-libsignal.ts';
import type { HeldKey, HeldSession } from '../../../src/whatsapp/port/moving.ts';
import { handedFiles } from '../handed-files.ts';
import { GROUP, SAMPLE_STORE } from './sample-store.ts';

silenceLibsignal();

type Repository = ReturnType<(typeof DEFAULT_CONNECTION_CONFIG)['makeSignalRepository']>;

/** A device of the sample store, read by the format and gone on with by the library. */
export class MovedIn {
  readonly held: HeldSession;
  readonly keys: HeldKey[];
  readonly repository: Repository;
  readonly lid: string;

  constructor(device: string, store: Uint8Array = SAMPLE_STORE) {
    const found = WHATSMEOW.recognise(handedFiles({ 'store.db': store }));
    const session = found?.sessions.find(({ name }) => name === device);
    if (!session) throw new Error(`the store has no ${device}`);
    this.held = session.read();
    this.keys = [...this.held.keys];
    this.lid = (this.held.creds as { me: { lid: string } }).me.lid;
    const stored = new Map<string, unknown>(this.keys.map(({ type, id, value }) => [`${type}/${id}`, value]));
    const logger = pino({ level: 'silent' });
    const keys = addTransactionCapability(memoryKeys(stored), logger, {
      maxCommitRetries: 1,
      delayBetweenTriesMs: 1,
    });
    const auth = { creds: this.held.creds as never, keys };
    this.repository = DEFAULT_CONNECTION_CONFIG.makeSignalRepository(auth, logger, async () => []);
  }

  /** What was written to this device. */
  async open(from: string, type: 'msg' | 'pkmsg' | 'skmsg', ciphertext: Uint8Array): Promise<string> {
    const plaintext =
      type === 'skmsg'
        ? await this.repository.decryptGroupMessage({ group: GROUP, authorJid: from, msg: ciphertext })
        : await this.repository.decryptMessage({ jid: from, type, ciphertext });
    return Buffer.from(plaintext).toString();
  }

  write(to: string, text: string): Promise<{ type: 'pkmsg' | 'msg'; ciphertext: Uint8Array }> {
    return this.repository.encryptMessage({ jid: to, data: Buffer.from(text) });
  }

  async writeToGroup(text: string): Promise<Uint8Array> {
    const data = Buffer.from(text);
    return (await this.repository.encryptGroupMessage({ group: GROUP, meId: this.lid, data })).ciphertext;
  }

  /** Values of a key type by id. */
  of(type: string): Map<string, unknown> {
    return new Map(this.keys.filter((key) => key.type === type).map(({ id, value }) => [id, value]));
  }
}

function memoryKeys(stored: Map<string, unknown>) {
  return {
    async get<T>(type: string, ids: string[]): Promise<{ [id: string]: T }> {
      const found = ids.filter((id) => stored.has(`${type}/${id}`));
      return Object.fromEntries(found.map((id) => [id, structuredClone(stored.get(`${type}/${id}`)) as T]));
    },
    async set(data: SignalDataSet): Promise<void> {
      for (const [type, entries] of Object.entries(data)) {
        for (const [id, value] of Object.entries(entries ?? {})) {
          if (value == null) stored.delete(`${type}/${id}`);
          else stored.set(`${type}/${id}`, value);
        }
      }
    },
  };
}
