/** The names that devices have in Signal's stores: whatsmeow's `user[_domain]:device`, and those of the key store here. */

/** Those of WhatsApp (whatsmeow types/jid.go, Baileys' WABinary/jid-utils.js). */
const NUMBER = 0;
const LID = 1;
const HOSTED_NUMBER = 128;
const HOSTED_LID = 129;
const DOMAINS: readonly number[] = [NUMBER, LID, HOSTED_NUMBER, HOSTED_LID];

export interface SignalAddress {
  user: string;
  domain: number;
  device: number;
}

/** Who is who: digits of numbers and LIDs. */
export interface LidDirectory {
  lidOf(number: string): string | undefined;
  numberOf(lid: string): string | undefined;
}

/** Null for what is no such name, or of a domain that nobody here knows. */
export function parseAddress(name: string): SignalAddress | null {
  const [, user, domain = '0', device] = /^(\d{1,20})(?:_(\d{1,3}))?:(\d{1,5})$/.exec(name) ?? [];
  if (user === undefined || device === undefined || !DOMAINS.includes(Number(domain))) return null;
  return { user, domain: Number(domain), device: Number(device) };
}

/** Its id among `session` and `identity-key`. */
export function addressId(address: SignalAddress): string {
  return `${signalUser(address)}.${address.device}`;
}

/** Its id among `sender-key`. */
export function senderKeyId(group: string, address: SignalAddress): string {
  return `${group}::${signalUser(address)}::${address.device}`;
}

/** The same device by LID: sessions are kept under it as soon as it is known, and only looked for there then. */
export function byLid(address: SignalAddress, people: LidDirectory): SignalAddress | null {
  if (address.domain !== NUMBER && address.domain !== HOSTED_NUMBER) return null;
  const user = people.lidOf(address.user);
  return user === undefined ? null : { ...address, user, domain: address.domain + LID };
}

/** The same device by number. */
export function byNumber(address: SignalAddress, people: LidDirectory): SignalAddress | null {
  if (address.domain !== LID && address.domain !== HOSTED_LID) return null;
  const user = people.numberOf(address.user);
  return user === undefined ? null : { ...address, user, domain: address.domain - LID };
}

function signalUser({ user, domain }: SignalAddress): string {
  return domain === NUMBER ? user : `${user}_${domain}`;
}
