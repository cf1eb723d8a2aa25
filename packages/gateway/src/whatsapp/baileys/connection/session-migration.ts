import { systemClock } from '../../../clock.ts';
import {
  isLidUser,
  isPnUser,
  jidDecode,
  type SignalDataSet,
  type SignalKeyStoreWithTransaction,
  type SignalRepositoryWithLIDStore,
} from '../library.ts';

export interface MigrationParts {
  keys: SignalKeyStoreWithTransaction;
  repository: Pick<SignalRepositoryWithLIDStore, 'jidToSignalProtocolAddress'>;
}

type MigrateSession = SignalRepositoryWithLIDStore['migrateSession'];

/** As libsignal stores it: the sessions with one device, by their base keys (session_record.js `serialize`). */
interface StoredRecord {
  version: string;
  _sessions: Record<string, { indexInfo: { closed: number } }>;
}

/** What `closed` of the session that is used for sending says. */
const CURRENT = -1;

/**
 * Moves a person's sessions from the number to the LID, in one commit.
 *
 * In the place of the library's (libsignal.js `migrateSession`), which notes that a session has moved before
 * the commit that moves it, for as long as the connection lasts: when that commit fails, the session stays
 * where nobody looks for it any more, another is made under the LID, and the next connection puts the old one
 * over it. Here nothing is noted but what is stored, and a session that is there already is never replaced: it
 * was made later, or it could not have been. What is under the number then stands behind it, as a session does
 * that another was begun after: messages in it may be on their way.
 */
export function sessionMigration({ keys, repository }: MigrationParts): MigrateSession {
  const addressOf = (jid: string): string => repository.jidToSignalProtocolAddress(jid);
  return async (from, to) => {
    const nothing = { migrated: 0, skipped: 0, total: 0 };
    const [number, lid] = [jidDecode(from), jidDecode(to)];
    if (!number?.user || !lid?.user || !isLidOfAnyKind(to) || !isNumberOfAnyKind(from)) return nothing;
    const { [number.user]: listed = [] } = await keys.get('device-list', [number.user]);
    const devices = new Set([...listed.map(Number), number.device ?? 0]);
    const moves = [...devices].filter(Number.isInteger).map((device) => ({
      from: addressOf(numberJid(number.user, device)),
      to: addressOf(lidJid(lid.user, device)),
    }));
    const stored = await keys.get(
      'session',
      moves.map((move) => move.from),
    );
    const wanted = moves.filter((move) => stored[move.from]);
    if (wanted.length === 0) return nothing;
    return keys.transaction(async () => {
      // Once more: another may have moved or used them meanwhile.
      const sessions = (await keys.get(
        'session',
        wanted.flatMap((move) => [move.from, move.to]),
      )) as unknown as Record<string, StoredRecord | undefined>;
      const changes: Record<string, StoredRecord | null> = {};
      let migrated = 0;
      for (const move of wanted) {
        const session = sessions[move.from];
        if (!session) continue;
        const there = sessions[move.to];
        changes[move.to] = there ? withEarlier(there, session) : session;
        changes[move.from] = null;
        if (!there) migrated += 1;
      }
      if (Object.keys(changes).length > 0) await keys.set({ session: changes } as unknown as SignalDataSet);
      return { migrated, skipped: wanted.length - migrated, total: wanted.length };
    }, `migrate sessions to ${lid.user}`);
  };
}

interface Names {
  pn: string;
  lid: string;
}

/** Those of the pairs in which a number has another LID than the stored one, or had none. */
export async function newNames(
  pairs: readonly Names[],
  keys: Pick<SignalKeyStoreWithTransaction, 'get'>,
): Promise<Names[]> {
  const users = pairs.flatMap(({ pn }) => jidDecode(pn)?.user ?? []);
  if (users.length === 0) return [];
  const stored = await keys.get('lid-mapping', [...new Set(users)]);
  return pairs.filter(({ pn, lid }) => {
    const number = jidDecode(pn)?.user;
    return number !== undefined && stored[number] !== jidDecode(lid)?.user;
  });
}

/** The record with the sessions of an earlier one, closed; of those that both have, its own. */
function withEarlier(record: StoredRecord, earlier: StoredRecord): StoredRecord {
  const closedAt = systemClock.now();
  const closed = Object.entries(earlier._sessions).map(([key, session]) => {
    const { indexInfo } = session;
    const at = indexInfo.closed === CURRENT ? closedAt : indexInfo.closed;
    return [key, { ...session, indexInfo: { ...indexInfo, closed: at } }];
  });
  return { ...record, _sessions: { ...Object.fromEntries(closed), ...record._sessions } };
}

/** Devices that WhatsApp hosts for a business have this number (WABinary/jid-utils.js). */
const HOSTED_DEVICE = 99;

function numberJid(user: string, device: number): string {
  if (device === HOSTED_DEVICE) return `${user}:${device}@hosted`;
  return device === 0 ? `${user}@s.whatsapp.net` : `${user}:${device}@s.whatsapp.net`;
}

function lidJid(user: string, device: number): string {
  if (device === HOSTED_DEVICE) return `${user}:${device}@hosted.lid`;
  return device === 0 ? `${user}@lid` : `${user}:${device}@lid`;
}

function isLidOfAnyKind(jid: string): boolean {
  return isLidUser(jid) === true || jid.endsWith('@hosted.lid');
}

function isNumberOfAnyKind(jid: string): boolean {
  return isPnUser(jid) === true || jid.endsWith('@hosted');
}
