/**
 * Which of a peer's Signal sessions opens a message.
 *
 * Where two sides begin sessions at the same time, or one begins another, a message of one session comes to a
 * record whose current session is another one. libsignal tries them all (session_cipher.js `decryptWithSessions`),
 * on the record itself: each attempt with a ratchet key that a session does not know makes a step of that
 * session's ratchet (`maybeStepRatchet`) before the MAC shows that it was the wrong one. When a later attempt
 * succeeds, all of the record is stored, and the current session is broken in both directions.
 *
 * Here an attempt that fails leaves its session as it was, as in the official library, which tries on copies
 * (signalapp/libsignal rust/protocol/src/session_cipher.rs `decrypt_message_with_record`). As there, the session
 * that opened the message is the current one from then on, so that both sides come to use the same.
 */
import { createRequire } from 'node:module';
import { systemClock } from '../../../clock.ts';

/** One session of a record (session_record.js `SessionEntry`); the current one is that which is not closed. */
interface SessionState {
  readonly indexInfo: { closed: number; used: number };
  serialize(): object;
}

interface SessionStateClass {
  deserialize(data: object): SessionState;
}

interface SessionRecord {
  readonly sessions: Readonly<Record<string, SessionState>>;
  getSession(baseKey: Uint8Array): SessionState | undefined;
}

interface Opened {
  readonly session: SessionState;
  readonly plaintext: Uint8Array;
}

interface Libsignal {
  SessionCipher: {
    prototype: {
      decryptWithSessions(data: Uint8Array, sessions: readonly SessionState[]): Promise<Opened>;
      doDecryptWhisperMessage(data: Uint8Array, session: SessionState): Promise<Uint8Array>;
      [ISOLATED]?: true;
    };
  };
  SessionBuilder: {
    prototype: {
      initIncoming(record: SessionRecord, message: { readonly baseKey: Uint8Array }): Promise<unknown>;
    };
  };
}

/** In the registry of the process: the sandbox does the same to the same classes. */
const ISOLATED: unique symbol = Symbol.for('wuts.libsignal.isolated') as never;
/** What `closed` of the current session says. */
const CURRENT = -1;

/** Makes every attempt of libsignal to open a message one that changes its own session alone, if it succeeds. */
export function isolateAttempts(): void {
  // The copy that Baileys uses, wherever it is installed.
  const fromBaileys = createRequire(createRequire(import.meta.url).resolve('baileys'));
  const { SessionCipher, SessionBuilder } = fromBaileys('libsignal') as Libsignal;
  const cipher = SessionCipher.prototype;
  if (cipher[ISOLATED]) return;
  cipher[ISOLATED] = true;

  const { decryptWithSessions } = cipher;
  cipher.decryptWithSessions = async function (data, sessions) {
    // Alone, or the last one, it needs no copy: when nothing opens the message, nothing is stored.
    for (const session of sessions.slice(0, -1)) {
      const before = session.serialize();
      try {
        const plaintext = await this.doDecryptWhisperMessage(data, session);
        session.indexInfo.used = systemClock.now();
        makeCurrent(session, sessions);
        return { session, plaintext };
      } catch {
        restore(session, before);
      }
    }
    const opened = await decryptWithSessions.call(this, data, sessions.slice(-1));
    makeCurrent(opened.session, sessions);
    return opened;
  };

  const builder = SessionBuilder.prototype;
  const { initIncoming } = builder;
  // A first message of a session that is there already: its sender has not heard from us in it.
  builder.initIncoming = async function (record, message) {
    const known = record.getSession(message.baseKey);
    if (known) makeCurrent(known, Object.values(record.sessions));
    return initIncoming.call(this, record, message);
  };
}

function restore(session: SessionState, before: object): void {
  const { deserialize } = session.constructor as unknown as SessionStateClass;
  const restored = deserialize.call(session.constructor, before);
  for (const name of Object.keys(session)) Reflect.deleteProperty(session, name);
  Object.assign(session, restored);
}

function makeCurrent(session: SessionState, all: readonly SessionState[]): void {
  if (session.indexInfo.closed === CURRENT) return;
  const now = systemClock.now();
  for (const { indexInfo } of all) if (indexInfo.closed === CURRENT) indexInfo.closed = now;
  session.indexInfo.closed = CURRENT;
}
