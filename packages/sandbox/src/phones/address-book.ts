import { randomBytes } from 'node:crypto';
import { type BinaryNode, getBinaryNodeChild, getBinaryNodeChildren, jidDecode, jidEncode } from 'baileys';
import type { PhoneConnection } from './connection.ts';

export type Addressing = 'lid' | 'pn';

/** The devices of one user, as the server lists them. */
export interface UserDevices {
  /** Bare LID, `…@lid`; the number's JID of an account without a LID. */
  readonly lid: string;
  /** Bare phone number JID when it is known. */
  readonly pn: string | undefined;
  readonly devices: readonly number[];
}

/** `5511999990001`, `+55 11 99999-0001`, a PN, a LID or a group JID as a bare JID. */
export function toJid(address: string): string {
  if (address.includes('@')) {
    const decoded = jidDecode(address);
    if (!decoded) throw new Error(`not a JID: ${address}`);
    return jidEncode(decoded.user, decoded.server);
  }
  const digits = address.replace(/[^0-9]/g, '');
  if (digits === '') throw new Error(`not a phone number or JID: ${address}`);
  return jidEncode(digits, 's.whatsapp.net');
}

/** The number of the device that a JID names; 0 for the phone. */
export function deviceOf(jid: string): number {
  return jidDecode(jid)?.device ?? 0;
}

/** The JID of a device of somebody. */
export function withDevice(bareJid: string, device: number): string {
  const decoded = jidDecode(bareJid);
  if (!decoded) throw new Error(`not a JID: ${bareJid}`);
  return jidEncode(decoded.user, decoded.server, device);
}

/**
 * What a phone knows of who is who: LID against phone number, learned from the attributes of stanzas and
 * from usync answers, and the server's device lists.
 */
export class AddressBook {
  readonly #connection: PhoneConnection;
  readonly #lidOf = new Map<string, string>();
  readonly #pnOf = new Map<string, string>();
  /** Numbers for which the server has given no LID. */
  readonly #withoutLid = new Set<string>();

  constructor(connection: PhoneConnection) {
    this.#connection = connection;
  }

  /** LIDs by phone number JID. */
  kept(): ReadonlyMap<string, string> {
    return this.#lidOf;
  }

  learn(pn: string | undefined, lid: string | undefined): void {
    if (!pn?.endsWith('@s.whatsapp.net') || !lid?.endsWith('@lid')) return;
    const [barePn, bareLid] = [toJid(pn), toJid(lid)];
    this.#lidOf.set(barePn, bareLid);
    this.#pnOf.set(bareLid, barePn);
  }

  /** The bare phone number JID of a user where it is known, else the bare JID as given. Groups as they are. */
  canonical(jid: string): string {
    const bare = toJid(jid);
    return this.#pnOf.get(bare) ?? bare;
  }

  /** The LID of a user, with the device of `jid`; undefined while it is unknown. */
  knownLid(jid: string): string | undefined {
    const bare = toJid(jid);
    const lid = bare.endsWith('@lid') ? bare : this.#lidOf.get(bare);
    return lid === undefined ? undefined : withDevice(lid, deviceOf(jid));
  }

  /**
   * As {@link knownLid}, asking the server when it is unknown; the number's JID where the account has none: by it
   * stanzas name it then, and its sessions are kept. Throws when the number is not on WhatsApp.
   */
  async lid(jid: string): Promise<string> {
    const known = this.knownLid(jid);
    if (known !== undefined) return known;
    if (this.#withoutLid.has(toJid(jid))) return withDevice(toJid(jid), deviceOf(jid));
    const [user] = await this.devices([jid]);
    if (!user) throw new Error(`${toJid(jid)} is not on WhatsApp`);
    return withDevice(user.lid, deviceOf(jid));
  }

  /**
   * Asks the server for the devices and LIDs of users (usync with protocols `devices` and `lid`, context
   * `message`: Baileys getUSyncDevices, whatsmeow user.go GetUserDevices). Unknown numbers are left out.
   */
  async devices(jids: readonly string[]): Promise<UserDevices[]> {
    const users = [...new Set(jids.map(toJid))];
    const answer = await this.#connection.query({
      tag: 'iq',
      attrs: { to: '@s.whatsapp.net', type: 'get', xmlns: 'usync' },
      content: [
        {
          tag: 'usync',
          attrs: {
            context: 'message',
            mode: 'query',
            sid: randomBytes(8).toString('hex'),
            last: 'true',
            index: '0',
          },
          content: [
            {
              tag: 'query',
              attrs: {},
              content: [
                { tag: 'devices', attrs: { version: '2' } },
                { tag: 'lid', attrs: {} },
              ],
            },
            { tag: 'list', attrs: {}, content: users.map((jid) => ({ tag: 'user', attrs: { jid } })) },
          ],
        },
      ],
    });
    const list = getBinaryNodeChild(getBinaryNodeChild(answer, 'usync'), 'list');
    return getBinaryNodeChildren(list, 'user').flatMap((user) => this.#readUser(user));
  }

  #readUser(user: BinaryNode): UserDevices[] {
    const { jid } = user.attrs;
    if (jid === undefined) return [];
    this.learn(user.attrs.pn_jid ?? jid, getBinaryNodeChild(user, 'lid')?.attrs.val ?? user.attrs.lid);
    const list = getBinaryNodeChild(getBinaryNodeChild(user, 'devices'), 'device-list');
    const devices = getBinaryNodeChildren(list, 'device').map((device) => Number(device.attrs.id));
    if (devices.length === 0) return [];
    const lid = this.knownLid(jid);
    if (lid !== undefined) return [{ lid, pn: this.#pnOf.get(lid), devices }];
    const number = toJid(jid);
    this.#withoutLid.add(number);
    return [{ lid: number, pn: number, devices }];
  }
}
