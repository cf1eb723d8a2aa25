/** All sessions with one device: the one in use, and those before it, in which messages may still be on their way. */
import { MalformedError } from './errors.ts';
import { fromBase64, OPEN, type StoredSession } from './stored-session.ts';

const VERSION = 'v1';
const MOST_CLOSED = 40;

/** A record as it is stored: JSON. */
export interface StoredRecord {
  readonly version: typeof VERSION;
  /** By their base keys. */
  readonly _sessions: Readonly<Record<string, StoredSession>>;
}

/** Never changed: a record with another session is another record. */
export class SessionRecord {
  readonly #sessions: Readonly<Record<string, StoredSession>>;

  constructor(sessions: Readonly<Record<string, StoredSession>> = {}) {
    this.#sessions = sessions;
  }

  /** Throws `MalformedError` for what is no record. Keys in it are looked at when they are used. */
  static deserialize(stored: unknown): SessionRecord {
    const { version = VERSION, _sessions: sessions } = Object(stored) as Partial<StoredRecord>;
    if (version !== VERSION || typeof sessions !== 'object' || sessions === null) {
      throw new MalformedError('no session record of a version that is known');
    }
    for (const session of Object.values(sessions)) {
      if (!session?.indexInfo || !session.currentRatchet || !session._chains) {
        throw new MalformedError('the session record holds something that is no session');
      }
    }
    return new SessionRecord(sessions);
  }

  serialize(): StoredRecord {
    return { _sessions: this.#sessions, version: VERSION };
  }

  /** Whether there is a session to send in. */
  haveOpenSession(): boolean {
    return typeof this.current()?.registrationId === 'number';
  }

  /** What Baileys tells the other side of the session in use, when it asks for a message again. */
  getOpenSession(): { registrationId: number; indexInfo: { baseKey: Buffer } } | undefined {
    const session = this.current();
    return (
      session && {
        registrationId: session.registrationId,
        indexInfo: { baseKey: fromBase64(session.indexInfo.baseKey, 33) },
      }
    );
  }

  /** The session in use. */
  current(): StoredSession | undefined {
    return Object.values(this.#sessions).find(isOpen);
  }

  /** The session that began with the base key. */
  find(baseKey: string): StoredSession | undefined {
    return this.#sessions[baseKey];
  }

  /** The one in use, then the others, the last used first. */
  inOrderOfUse(): StoredSession[] {
    const rank = (session: StoredSession): number => (isOpen(session) ? Infinity : session.indexInfo.used);
    return Object.values(this.#sessions).sort((a, b) => (rank(a) === rank(b) ? 0 : rank(b) - rank(a)));
  }

  /**
   * With the session, new or gone on with, as the one in use: as in the official library (session_cipher.rs
   * `promote_matching_session`), so that both sides come to use the same one.
   */
  withCurrent(session: StoredSession, now: number): SessionRecord {
    const { baseKey } = session.indexInfo;
    const { [baseKey]: _, ...others } = this.#sessions;
    const closed = Object.values(others).map((each) =>
      isOpen(each) ? withIndex(each, { closed: now }) : each,
    );
    const kept =
      closed.length > MOST_CLOSED
        ? closed.sort((a, b) => b.indexInfo.closed - a.indexInfo.closed).slice(0, MOST_CLOSED)
        : closed;
    const entries = kept.map((each): [string, StoredSession] => [each.indexInfo.baseKey, each]);
    return new SessionRecord({
      ...Object.fromEntries(entries),
      [baseKey]: withIndex(session, { closed: OPEN, used: now }),
    });
  }
}

function isOpen({ indexInfo }: StoredSession): boolean {
  return indexInfo.closed === OPEN;
}

function withIndex(session: StoredSession, changed: { closed: number; used?: number }): StoredSession {
  return { ...session, indexInfo: { ...session.indexInfo, ...changed } };
}
