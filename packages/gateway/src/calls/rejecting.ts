/** Refuses calls as they come, for the devices that are set to. */
import type { Clock } from '../clock.ts';
import type { Devices } from '../devices/devices.ts';
import type { NoticedDevice, NoticeKeeper } from '../events/notice-events.ts';
import { canonicalJid, sameIdentity } from '../identity/jid.ts';
import type { Log } from '../observability/log.ts';
import { textContent } from '../sending/content/text.ts';
import type { Sending } from '../sending/pipeline.ts';
import { parseRecipient } from '../sending/recipients.ts';
import type { Caller } from '../tenancy/caller.ts';
import type { Identity } from '../whatsapp/port/identity.ts';
import type { CallNotice } from '../whatsapp/port/notices.ts';
import type { CallStore } from './call-store.ts';

/** Who calls again within it is refused again, and sent nothing more: a bot that answers by calling must not be answered for ever. */
const REPLY_PAUSE_MS = 3_600_000;

export interface RejectingParts {
  store: CallStore;
  devices: Pick<Devices, 'openSession'>;
  sending: Pick<Sending, 'send'>;
  /** On whose behalf the message is sent: the owner of the device; null when nobody is that any more. */
  ownerOf(device: NoticedDevice): Promise<Caller | null>;
  clock: Clock;
  log: Log;
}

export class Rejecting {
  readonly #parts: RejectingParts;
  readonly #underWay = new Set<Promise<void>>();

  constructor(parts: RejectingParts) {
    this.#parts = parts;
  }

  /** Looks at each call that is told; what it does, it does beside. */
  readonly keep: NoticeKeeper = async (trx, device, notice) => {
    // What rang while the device was away is over.
    if (notice.name !== 'call.offer' || notice.offline || sameIdentity(notice.from, device)) return;
    const { reject, message } = await this.#parts.store.settings(device, trx);
    if (!reject) return;
    const done = this.#refuse(device, notice, message).finally(() => this.#underWay.delete(done));
    this.#underWay.add(done);
  };

  /** Resolves when what was begun has ended. */
  async stop(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  async #refuse(device: NoticedDevice, offer: CallNotice, message: string | null): Promise<void> {
    const about = { tenant_id: device.tenantId, device_id: device.id, call_id: offer.callId };
    try {
      const session = this.#parts.devices.openSession(device.id);
      await session?.calls.reject({ callId: offer.callId, from: offer.from });
      // A group is not written to because one of its members rings it.
      if (message !== null && offer.group === null) await this.#reply(device, offer.from, message);
    } catch (err) {
      this.#parts.log.warn({ err, ...about }, 'a call was not refused or not answered');
    }
  }

  async #reply(device: NoticedDevice, from: Identity, message: string): Promise<void> {
    const { store, clock, sending, ownerOf } = this.#parts;
    const caller = canonicalJid(from);
    const owner = caller === null ? null : await ownerOf(device);
    if (caller === null || owner === null) return;
    if (!(await store.mayReply(device, caller, clock.now(), REPLY_PAUSE_MS))) return;
    await sending.send(owner, {
      deviceId: device.id,
      address: parseRecipient(caller, 'from'),
      content: textContent({ text: message }),
    });
  }
}
