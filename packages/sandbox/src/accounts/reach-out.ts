import type { Delivery } from '../delivery/delivery.ts';
import type { Account, RegisteredDevice } from '../state/directory.ts';
import { SERVER_JID, stanza, timestamp } from '../wire/stanza.ts';

/** A time lock on reaching out: the account may go on in its chats and begin none. */
export interface ReachOutLock {
  /** Unix seconds; null when the server does not say. */
  readonly endsAt: number | null;
  /** `BIZ_QUALITY`, `WEB_COMPANION_ONLY`, … (Baileys Types/State.js ReachoutTimelockEnforcementType). */
  readonly type: string;
}

/** `<ack error>` of a message that would begin a chat (Baileys decode-wa-message.js NACK_REASONS). */
export const REACH_OUT_LOCKED = '463';

export interface KeptReachOut {
  readonly locks: ReadonlyMap<string, ReachOutLock>;
  readonly chats: ReadonlySet<string>;
}

/**
 * Accounts that may not write to strangers for a while. A companion learns of it by a `mex` notification
 * (whatsmeow notification.go NotifyAccountReachoutTimelock), by asking (`REACHOUT_TIMELOCK`), and by the ack of
 * a message that it should not have sent. Chats in which either side has written before stay open.
 */
export class ReachOutLocks {
  readonly #delivery: Delivery;
  readonly #locks = new Map<string, ReachOutLock>();
  /** `from>to` of the messages that were delivered. */
  readonly #chats = new Set<string>();

  constructor(delivery: Delivery) {
    this.#delivery = delivery;
  }

  kept(): KeptReachOut {
    return { locks: this.#locks, chats: this.#chats };
  }

  restore({ locks, chats }: KeptReachOut): void {
    for (const [user, lock] of locks) this.#locks.set(user, lock);
    for (const chat of chats) this.#chats.add(chat);
  }

  /** Locks an account, and tells its companions. */
  lock(account: Account, lock: ReachOutLock): void {
    this.#locks.set(account.user, lock);
    this.#tell(account);
  }

  /** Ends the lock, and tells the companions unless it ran out by itself. */
  lift(account: Account): void {
    if (this.#locks.delete(account.user)) this.#tell(account);
  }

  /** The lock as it is now; undefined when there is none. */
  of(user: string): ReachOutLock | undefined {
    const lock = this.#locks.get(user);
    if (!lock || lock.endsAt === null || lock.endsAt * 1000 > Date.now()) return lock;
    this.#locks.delete(user);
    return undefined;
  }

  /** Used by message routing, for messages to a person: true when this one must not pass. */
  refuses(sender: RegisteredDevice, to: Account): boolean {
    const { user } = sender.account;
    if (sender.address.device === 0 || user === to.user || !this.of(user)) return false;
    return !this.#chats.has(`${user}>${to.user}`) && !this.#chats.has(`${to.user}>${user}`);
  }

  /** Used by message routing: the two have a chat from now on. */
  delivered(from: Account, to: Account): void {
    this.#chats.add(`${from.user}>${to.user}`);
  }

  /** As the query and the notification tell it. */
  described(user: string): object {
    const lock = this.of(user);
    return {
      is_active: lock !== undefined,
      enforcement_type: lock?.type ?? 'DEFAULT',
      ...(lock?.endsAt ? { time_enforcement_ends: String(lock.endsAt) } : {}),
    };
  }

  #tell(account: Account): void {
    const data = { xwa2_notify_account_reachout_timelock: this.described(account.user) };
    for (const device of account.devices.values()) {
      if (device.address.device === 0) continue;
      this.#delivery.post(
        device,
        stanza(
          'notification',
          { from: SERVER_JID, type: 'mex', id: this.#delivery.nextId(), t: timestamp() },
          [
            stanza(
              'update',
              { op_name: 'NotificationUserReachoutTimelockUpdate' },
              Buffer.from(JSON.stringify({ data }), 'utf8'),
            ),
          ],
        ),
      );
    }
  }
}
