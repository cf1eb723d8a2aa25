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

/**
 * Moves a person's sessions from the number to the LID, in one commit.
 *
 * In the place of the library's (libsignal.js `migrateSession`), which notes that a session has moved before
 * the commit that moves it, for as long as the connection lasts: when that commit fails, the session stays
 * where nobody looks for it any more, another is made under the LID, and the next connection puts the old one
 * over it. Here nothing is noted but what is stored, and a session that is there already is never replaced: it
 * was made later, or it could not have been.
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
      const sessions = await keys.get(
        'session',
        wanted.flatMap((move) => [move.from, move.to]),
      );
      const changes: Record<string, Uint8Array | null> = {};
      let migrated = 0;
      for (const move of wanted) {
        const session = sessions[move.from];
        if (!session) continue;
        if (!sessions[move.to]) {
          changes[move.to] = session;
          migrated += 1;
        }
        changes[move.from] = null;
      }
      if (Object.keys(changes).length > 0) await keys.set({ session: changes } as SignalDataSet);
      return { migrated, skipped: wanted.length - migrated, total: wanted.length };
    }, `migrate sessions to ${lid.user}`);
  };
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
