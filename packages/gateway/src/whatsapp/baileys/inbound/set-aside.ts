import { systemClock } from '../../../clock.ts';
import type { CredentialStore } from '../../port/credentials.ts';
import type { LogSink } from '../connection/quiet-logger.ts';
import type { BinaryNode } from '../library.ts';
import { encodeStanza } from '../parse/journal-stanza.ts';

/** What became of something that could not be understood. */
export type UnreadableOutcome = 'stored_as_unknown' | 'set_aside' | 'passed_over';

export interface SetAsideParts {
  deviceId: string;
  credentials: CredentialStore;
  log: LogSink;
  counter: { inc(labels: { outcome: UnreadableOutcome }): void };
}

/** Whatever comes in and makes no sense to us is kept, counted and told; and what is behind it goes on. */
export class SetAside {
  readonly #parts: SetAsideParts;

  constructor(parts: SetAsideParts) {
    this.#parts = parts;
  }

  /** A journal row: it stays, out of the way of every start, until it is exported or the device logs out. */
  async row(id: string, error: unknown): Promise<void> {
    await this.#parts.credentials.setAside(id, reasonOf(error));
    this.#tell('set_aside', 'what came in could not be stored and was set aside', error);
  }

  /** A stanza that is about to be acknowledged, so that the server does not send it again for ever. */
  async stanza(stanza: BinaryNode, error: unknown): Promise<void> {
    const { from = '', participant = '', id = '', type = '' } = stanza.attrs;
    const row = {
      id: [stanza.tag, from, participant, id, type].join('|'),
      stanza: encodeStanza(stanza),
      plaintext: new Uint8Array(0),
      receivedAt: systemClock.now(),
    };
    await this.#parts.credentials.write([], [row]);
    await this.row(row.id, error);
  }

  /** A message of which only sender, chat and bytes could be stored. */
  storedAsUnknown(error: unknown): void {
    this.#tell('stored_as_unknown', 'a message could not be read and was stored as it came', error);
  }

  /** A part of the account's history, which its phone has. */
  passedOver(error: unknown): void {
    this.#tell('passed_over', 'a part of the history could not be read and was passed over', error);
  }

  #tell(outcome: UnreadableOutcome, text: string, error: unknown): void {
    const { counter, log, deviceId } = this.#parts;
    counter.inc({ outcome });
    log.warn({ device_id: deviceId, reason: reasonOf(error) }, text);
  }
}

/** The kind of error alone: its text may repeat what the sender wrote. */
function reasonOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
