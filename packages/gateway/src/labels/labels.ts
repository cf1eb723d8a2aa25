/** Labels of business accounts: made, changed, put on chats and messages, on all devices of the account. */
import type { MessageCopies } from '../actions/message-copies.ts';
import { sessionOf } from '../actions/message-copies.ts';
import type { Clock } from '../clock.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import type { MessageName } from '../identity/message-name.ts';
import { chatOf, type MessageDevice, type StoredMessage } from '../messages/stored-message.ts';
import { accountOf, assertAccount } from '../sending/account.ts';
import { type CreationAttempt, unlessRefused } from '../sending/creations.ts';
import type { RecipientAddress, Recipients } from '../sending/recipients.ts';
import { numberCursor, pageOf, readNumberCursor } from '../storage/page-cursor.ts';
import type { Caller } from '../tenancy/caller.ts';
import type { AccountChange } from '../whatsapp/port/account.ts';
import { onSession } from '../whatsapp/port/app-errors.ts';
import type { Identity } from '../whatsapp/port/identity.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';
import type { CountedLabel, Label, LabelMark, LabelStore } from './label-store.ts';

/** How changing labels can end, beside what the session says. */
export const LABEL_FAILURES = ['LABEL_NOT_FOUND', 'NOT_A_BUSINESS'] as const satisfies readonly ErrorCode[];

/** What the phone of an account that is no business says it is (Baileys generics.js `isWABusinessPlatform`). */
const PERSONAL_PLATFORMS: readonly (string | null)[] = ['android', 'iphone'];

type LabelDevice = MessageDevice & {
  /** What the account's phone said it is when the device was linked. */
  platform: string | null;
};

/** What this room asks of the devices; `Devices` fits. */
export interface LabelDevices {
  resolve(caller: Caller, deviceId?: string): Promise<LabelDevice>;
  /** Throws DEVICE_NOT_READY unless the device is connected. */
  session(device: MessageDevice): WhatsAppSession;
}

export interface LabelsParts {
  store: LabelStore;
  clock: Clock;
  devices: LabelDevices;
  recipients: Recipients;
  copies: MessageCopies;
}

/** A label as a request names it. */
export interface LabelName {
  deviceId: string | undefined;
  id: string;
}

export interface MarkPage {
  marks: readonly LabelMark[];
  nextCursor: string | null;
}

export class Labels {
  readonly #parts: LabelsParts;
  /** Of each device the newest label that is being made: two that are made at once are two. */
  readonly #making = new Map<string, Promise<unknown>>();

  constructor(parts: LabelsParts) {
    this.#parts = parts;
  }

  /** Of an account that is no business none. Throws DEVICE_NOT_FOUND. */
  async list(caller: Caller, deviceId: string | undefined): Promise<CountedLabel[]> {
    return this.#parts.store.list(await this.#parts.devices.resolve(caller, deviceId));
  }

  /**
   * The id is chosen here: a repetition under an `Idempotency-Key` makes the label that the first attempt may have
   * made. Throws ACCOUNT_CHANGED, and what `#change` throws.
   */
  async create(
    caller: Caller,
    { deviceId, ...given }: Pick<Label, 'name' | 'color'> & { deviceId: string | undefined },
    attempt?: CreationAttempt,
  ): Promise<Label> {
    const { devices, clock } = this.#parts;
    const earlier = attempt?.creation;
    const device = await devices.resolve(caller, deviceId ?? earlier?.deviceId);
    if (earlier) assertAccount(device, earlier.account);
    const before = this.#making.get(device.id);
    const made = (async () => {
      await before?.catch(() => undefined);
      refusePersonal(device);
      const session = devices.session(device);
      const label = { id: await this.#idFor(device, given.name, earlier?.made), ...given };
      const claim = { deviceId: device.id, account: accountOf(device), since: clock.now(), besides: [] };
      await attempt?.creating({ ...claim, made: label.id });
      await onSession(() => unlessRefused(attempt, () => session.account.change(edited(label))));
      return label;
    })();
    this.#making.set(device.id, made);
    try {
      return await made;
    } finally {
      if (this.#making.get(device.id) === made) this.#making.delete(device.id);
    }
  }

  /** That of the earlier attempt, unless another label has it by now. */
  async #idFor(device: LabelDevice, name: string, earlier: string | null | undefined): Promise<string> {
    const { store } = this.#parts;
    const holder = earlier ? await store.find(device, earlier) : null;
    return earlier && (!holder || holder.name === name) ? earlier : store.freeId(device);
  }

  /** What is not given stays. Throws LABEL_NOT_FOUND, and what `#change` throws. */
  async edit(
    caller: Caller,
    name: LabelName,
    given: { name?: string | undefined; color?: number | undefined },
  ): Promise<Label> {
    const { device, label } = await this.#find(caller, name);
    const changed = { ...label, name: given.name ?? label.name, color: given.color ?? label.color };
    await this.#change(device, edited(changed));
    return changed;
  }

  /** Takes it off everything that has it. Throws LABEL_NOT_FOUND, and what `#change` throws. */
  async remove(caller: Caller, name: LabelName): Promise<void> {
    const { device, label } = await this.#find(caller, name);
    await this.#change(device, { ...edited(label), deleted: true });
  }

  /** Puts it on a chat, or takes it off. Throws LABEL_NOT_FOUND, NOT_ON_WHATSAPP, and what `#change` throws. */
  async markChat(
    caller: Caller,
    name: LabelName,
    address: RecipientAddress,
    labeled: boolean,
  ): Promise<Identity> {
    const { device, label } = await this.#find(caller, name);
    refusePersonal(device);
    const { devices, recipients } = this.#parts;
    const { chat } = await recipients.resolve(devices.session(device), device, address);
    await this.#change(device, { name: 'label.association_chat', labelId: label.id, chat, labeled });
    return chat;
  }

  /** The same for a message that is stored. Throws LABEL_NOT_FOUND, MESSAGE_NOT_FOUND, and what `#change` throws. */
  async markMessage(caller: Caller, id: string, name: MessageName, labeled: boolean): Promise<StoredMessage> {
    const { copies } = this.#parts;
    const found = await copies.reachable(caller, await copies.any(caller, name));
    const { target } = found;
    const { device, label } = await this.#find(caller, { deviceId: target.deviceId, id });
    sessionOf(found);
    await this.#change(device, {
      name: 'label.association_message',
      labelId: label.id,
      chat: chatOf(target),
      messageId: target.messageId,
      labeled,
    });
    return target;
  }

  /** The chats or messages with the label, as we heard of them. Without `limit` all. Throws LABEL_NOT_FOUND. */
  async marked(
    caller: Caller,
    name: LabelName,
    on: 'chats' | 'messages',
    { cursor, limit }: { cursor: string | undefined; limit: number | undefined },
  ): Promise<MarkPage> {
    const { device, label } = await this.#find(caller, name);
    const after = cursor ? readNumberCursor(cursor) : 0;
    const most = limit ?? (cursor ? DEFAULT_PAGE : undefined);
    const rows = { after, limit: most === undefined ? null : most + 1 };
    const { page, last } = pageOf(await this.#parts.store.marks(device, label.id, on, rows), most);
    return {
      marks: page,
      nextCursor: last && numberCursor(last.place),
    };
  }

  async #find(caller: Caller, { deviceId, id }: LabelName): Promise<{ device: LabelDevice; label: Label }> {
    const { devices, store } = this.#parts;
    const device = await devices.resolve(caller, deviceId);
    const label = await store.find(device, id);
    if (!label) throw new AppError('LABEL_NOT_FOUND');
    return { device, label };
  }

  /** Throws NOT_A_BUSINESS, DEVICE_NOT_READY, and what changing the account's state throws. */
  async #change(device: LabelDevice, change: AccountChange): Promise<void> {
    refusePersonal(device);
    const session = this.#parts.devices.session(device);
    await onSession(() => session.account.change(change));
  }
}

/** Of a list that is read on from a cursor without a limit. */
const DEFAULT_PAGE = 100;

/** WhatsApp's server takes labels of anybody, and the apps of a personal account show none. */
function refusePersonal({ platform }: LabelDevice): void {
  if (PERSONAL_PLATFORMS.includes(platform)) throw new AppError('NOT_A_BUSINESS');
}

function edited({ id, name, color }: Label): Extract<AccountChange, { name: 'label.edit' }> {
  return { name: 'label.edit', labelId: id, labelName: name, color, deleted: false };
}
