/** What businesses sell and say of themselves: asked of WhatsApp each time, nothing of it is kept here. */
import { type MessageCopies, sessionOf } from '../actions/message-copies.ts';
import { type Named, personMeant } from '../contacts/whom.ts';
import type { Device } from '../devices/device.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import { canonicalJid, sameIdentity } from '../identity/jid.ts';
import type { MessageName } from '../identity/message-name.ts';
import type { MessageArchive } from '../messages/archive.ts';
import { member } from '../messages/details/wire-content.ts';
import type { MessageDevice } from '../messages/stored-message.ts';
import type { Recipients } from '../sending/recipients.ts';
import type { Caller } from '../tenancy/caller.ts';
import { onSession, SESSION_FAILURES } from '../whatsapp/port/app-errors.ts';
import type {
  BusinessChange,
  Order,
  Page,
  PageWanted,
  Product,
  ProductCollection,
} from '../whatsapp/port/business.ts';
import type { BusinessProfile } from '../whatsapp/port/contacts.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import { asWhatsAppGave, type OpaqueText } from '../whatsapp/port/opaque.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';

/** How a question about a business can end, beside what choosing a device can. */
export const BUSINESS_FAILURES = [
  ...SESSION_FAILURES,
  'INVALID_RECIPIENT',
  'NOT_ON_WHATSAPP',
] as const satisfies readonly ErrorCode[];

/** How asking for the order of a message can. */
export const MESSAGE_ORDER_FAILURES = [
  ...SESSION_FAILURES,
  'INVALID_RECIPIENT',
  'DEVICE_NOT_FOUND',
  'MESSAGE_NOT_FOUND',
  'ACCOUNT_CHANGED',
  'NOT_AN_ORDER',
] as const satisfies readonly ErrorCode[];

/** What this room asks of the devices; `Devices` fits. */
export interface BusinessDevices {
  resolve(caller: Caller, deviceId?: string): Promise<Device>;
  /** Throws DEVICE_NOT_READY unless the device is connected. */
  session(device: MessageDevice): WhatsAppSession;
}

/** Whose business is meant: the one that is named, else that of the account. */
export interface Whose {
  caller: Caller;
  deviceId: string | undefined;
  named: Named;
}

/** The business that an answer is about. */
export interface Of<T> {
  owner: Identity;
  found: T;
}

export class Businesses {
  readonly #devices: BusinessDevices;
  readonly #recipients: Recipients;
  readonly #archive: Pick<MessageArchive, 'contents'>;
  readonly #copies: MessageCopies;

  constructor(parts: {
    devices: BusinessDevices;
    recipients: Recipients;
    archive: Pick<MessageArchive, 'contents'>;
    copies: MessageCopies;
  }) {
    this.#devices = parts.devices;
    this.#recipients = parts.recipients;
    this.#archive = parts.archive;
    this.#copies = parts.copies;
  }

  /** Null for who is no business. */
  profile(whose: Whose): Promise<Of<BusinessProfile | null>> {
    return this.#ask(whose, (session, owner) => session.business.profile(owner));
  }

  /** Changes what the account says of itself, and gives all of it as it is then. */
  async change(
    { caller, deviceId }: Pick<Whose, 'caller' | 'deviceId'>,
    change: BusinessChange,
  ): Promise<Of<BusinessProfile | null>> {
    return this.#ask({ caller, deviceId, named: {} }, async (session, owner) => {
      await session.business.change(change);
      return session.business.profile(owner);
    });
  }

  catalog(whose: Whose, page: PageWanted): Promise<Of<Page<Product>>> {
    return this.#ask(whose, (session, owner) => session.business.catalog(owner, page));
  }

  /** Throws NOT_FOUND for what it does not sell. */
  product(whose: Whose, id: string): Promise<Of<Product>> {
    return this.#ask(whose, (session, owner) => session.business.product(owner, id));
  }

  collections(whose: Whose, page: PageWanted & { products: number }): Promise<Of<Page<ProductCollection>>> {
    return this.#ask(whose, (session, owner) => session.business.collections(owner, page));
  }

  /** An order by the token that its message has; `named`: the seller. Throws NOT_FOUND for another token. */
  async order(whose: Whose, order: { id: string; token: OpaqueText }): Promise<Order> {
    return (
      await this.#ask(whose, (session, seller) => session.business.order(seller, order.id, order.token))
    ).found;
  }

  /** The order that a stored message brought. Throws MESSAGE_NOT_FOUND, NOT_AN_ORDER, and as `order`. */
  async orderOf(caller: Caller, name: MessageName): Promise<Order> {
    const copies = await this.#copies.any(caller, name);
    const found = await this.#copies.reachable(caller, copies);
    const message = found.target.kind === 'order' ? await this.#archive.contents.wire(found.target) : null;
    const { orderId: id, token, sellerJid: seller } = (message && member(message, 'orderMessage')) ?? {};
    if (typeof id !== 'string' || typeof token !== 'string') throw new AppError('NOT_AN_ORDER');
    const session = sessionOf(found);
    const named = typeof seller === 'string' && seller !== '' ? { jid: seller } : {};
    const owner = await this.#owner(session, found.device, named);
    return onSession(() => session.business.order(nameOf(owner), id, asWhatsAppGave(token)));
  }

  async #ask<T>(
    { caller, deviceId, named }: Whose,
    call: (session: WhatsAppSession, owner: Jid) => Promise<T>,
  ): Promise<Of<T>> {
    const device = await this.#devices.resolve(caller, deviceId);
    const session = this.#devices.session(device);
    const owner = await this.#owner(session, device, named);
    return { owner, found: await onSession(() => call(session, nameOf(owner))) };
  }

  async #owner(session: WhatsAppSession, device: MessageDevice, named: Named): Promise<Identity> {
    const own = { jid: device.jid, lid: device.lid };
    if (!named.jid && !named.number) return own;
    const person = await personMeant(this.#recipients, session, device, named);
    return sameIdentity(person, own) ? own : person;
  }
}

/** By number where it is known: by LID alone, WhatsApp does not find orders (whatsapp-web.js issue 201804). */
function nameOf(owner: Identity): Jid {
  return canonicalJid(owner) ?? '';
}
