/**
 * Asks WhatsApp for groups and stores the answers. A group that changes while the question is under way is not
 * overwritten by the answer, which may be older than the change: it is asked for once more.
 */
import type { Kysely, Transaction } from 'kysely';
import { type Clock, pause } from '../clock.ts';
import { holderOf } from '../identity/holder.ts';
import { checkedTenant } from '../storage/narrowing.ts';
import type { Database } from '../storage/schema.ts';
import { RequestRefused, SessionError, SessionNotOpen } from '../whatsapp/port/errors.ts';
import type { GroupInfo } from '../whatsapp/port/groups.ts';
import type { Jid } from '../whatsapp/port/identity.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';
import type { GroupDevice } from './group.ts';
import { endMembership, saveGroup, saveListTime } from './group-writes.ts';

/** Members written in one transaction: some ten milliseconds, between which others are served. */
const MEMBERS_PER_COMMIT = 1000;
/** A group that changes each time is left as its changes made it. */
const MOST_TRIES = 3;
/** What the server says of a group that is gone, and of one that the account is not in (whatsmeow group.go GetGroupInfo). */
const NOT_IN_IT = [403, 404];

export type Session = Pick<WhatsAppSession, 'groups'>;

/** A question under way, and the groups that changed meanwhile. */
interface Question {
  deviceId: string;
  changed: Set<Jid>;
}

export class GroupRefresh {
  readonly #db: Kysely<Database>;
  readonly #clock: Clock;
  readonly #questions = new Set<Question>();
  /** One question for all groups of a device at a time: others wait for its answer. */
  readonly #lists = new Map<string, Promise<void>>();

  #stopped = false;

  constructor(parts: { db: Kysely<Database>; clock: Clock }) {
    this.#db = parts.db;
    this.#clock = parts.clock;
  }

  /** The gateway stops: what is being stored ends after the commit at hand. */
  stop(): void {
    this.#stopped = true;
  }

  /** A change of the group is being stored. */
  changed(deviceId: string, group: Jid): void {
    for (const question of this.#questions) {
      if (question.deviceId === deviceId) question.changed.add(group);
    }
  }

  /** Every group of the account. Throws what the session throws. */
  all(device: GroupDevice, session: Session): Promise<void> {
    const running = this.#lists.get(device.id);
    if (running) return running;
    const asked = this.#all(device, session).finally(() => this.#lists.delete(device.id));
    this.#lists.set(device.id, asked);
    return asked;
  }

  /** One group. False when WhatsApp says that there is none, or that the account is not in it. */
  async one(device: GroupDevice, session: Session, group: Jid): Promise<boolean> {
    for (let left = MOST_TRIES; left > 0; left -= 1) {
      const question = this.#asking(device);
      try {
        const info = await infoOrNull(session, group);
        const at = this.#clock.now();
        const stored = await this.#db.transaction().execute(async (trx) => {
          if (question.changed.has(group)) return false;
          if (info) await saveGroup(trx, device, info, at);
          else await endMembership(trx, device, group, { membership: 'outside', leftAt: null, asOf: at });
          return true;
        });
        if (stored || left === 1) return info !== null;
      } finally {
        this.#questions.delete(question);
      }
    }
    return true;
  }

  /** The group after a change of ours: an answer to the caller must not wait for the notification of it. */
  async afterChange(device: GroupDevice, session: Session, group: Jid): Promise<void> {
    try {
      await this.one(device, session, group);
    } catch (error) {
      // The change is done; what is kept follows with its notification.
      if (!(error instanceof SessionError)) throw error;
    }
  }

  /** Makes a group, and stores it as the answer has it. */
  async making<T extends { info: GroupInfo }>(device: GroupDevice, make: () => Promise<T>): Promise<T> {
    const question = this.#asking(device);
    try {
      const made = await make();
      await this.#store(device, [made.info], question, this.#clock.now());
      return made;
    } finally {
      this.#questions.delete(question);
    }
  }

  /** The account has left the group by itself. */
  async left(device: GroupDevice, group: Jid): Promise<void> {
    const at = this.#clock.now();
    const end = { membership: 'left', leftAt: at, asOf: at } as const;
    await this.#db.transaction().execute((trx) => endMembership(trx, device, group, end));
  }

  async #all(device: GroupDevice, session: Session): Promise<void> {
    const question = this.#asking(device);
    try {
      const groups = await session.groups.joined();
      const at = this.#clock.now();
      for (const part of commits(groups)) await this.#store(device, part, question, at);
      const told = new Set(groups.map(({ jid }) => jid));
      await this.#db.transaction().execute(async (trx) => {
        for (const jid of await memberOf(trx, device)) {
          if (told.has(jid) || question.changed.has(jid)) continue;
          await endMembership(trx, device, jid, { membership: 'outside', leftAt: null, asOf: at });
        }
        await saveListTime(trx, device, at);
      });
    } finally {
      this.#questions.delete(question);
    }
    for (const jid of question.changed) await this.one(device, session, jid);
    await session.groups.joinedStored();
  }

  async #store(
    device: GroupDevice,
    groups: readonly GroupInfo[],
    { changed }: Question,
    at: number,
  ): Promise<void> {
    if (this.#stopped) throw new SessionNotOpen('the gateway stops');
    await this.#db.transaction().execute(async (trx) => {
      for (const info of groups) if (!changed.has(info.jid)) await saveGroup(trx, device, info, at);
    });
    await pause(0);
  }

  #asking(device: GroupDevice): Question {
    const question: Question = { deviceId: device.id, changed: new Set() };
    this.#questions.add(question);
    return question;
  }
}

async function memberOf(trx: Transaction<Database>, device: GroupDevice): Promise<Jid[]> {
  const { tenant_id, device_id, account } = holderOf(device);
  const rows = await trx
    .selectFrom('groups')
    .select('jid')
    .where(checkedTenant(tenant_id))
    .where('device_id', '=', device_id)
    .where('account', '=', account)
    .where('membership', '=', 'member')
    .execute();
  return rows.map(({ jid }) => jid);
}

async function infoOrNull(session: Session, group: Jid): Promise<GroupInfo | null> {
  try {
    return await session.groups.info(group);
  } catch (error) {
    if (error instanceof RequestRefused && NOT_IN_IT.includes(error.whatsappCode)) return null;
    throw error;
  }
}

/** Groups in portions that one transaction stores. */
function* commits(groups: readonly GroupInfo[]): Generator<GroupInfo[]> {
  let part: GroupInfo[] = [];
  let members = 0;
  for (const group of groups) {
    part.push(group);
    members += group.members.length;
    if (members < MEMBERS_PER_COMMIT) continue;
    yield part;
    part = [];
    members = 0;
  }
  yield part;
}
