/** The two names of an account, digits. */
export interface AccountNames {
  readonly user: string;
  /** Null for an account that the server has given none. */
  readonly lid: string | null;
}

/** Which of an account's two identifiers a stanza uses. */
export type AddressingMode = 'lid' | 'pn';

/** The parts of a JID; `device` is 0 when the JID names the account or its primary phone. */
export interface ParsedJid {
  readonly user: string;
  readonly server: string;
  readonly device: number;
}

/** Where what people post for a day goes to and comes from. */
export const STATUS_JID = 'status@broadcast';

/** Whether it names a broadcast list: what its owner writes to it goes to each member apart. */
export function isBroadcastList(jid: string | undefined): jid is string {
  return jid !== STATUS_JID && (jid?.endsWith('@broadcast') ?? false);
}

/** Splits `user[_agent][:device]@server`; `undefined` when there is no `@`. */
export function parseJid(jid: string | undefined): ParsedJid | undefined {
  if (jid === undefined) return undefined;
  const at = jid.indexOf('@');
  if (at < 0) return undefined;
  const server = jid.slice(at + 1);
  const colon = jid.indexOf(':');
  const hasDevice = colon >= 0 && colon < at;
  const name = jid.slice(0, hasDevice ? colon : at);
  const underscore = name.indexOf('_');
  return {
    user: underscore < 0 ? name : name.slice(0, underscore),
    server,
    device: hasDevice ? Number(jid.slice(colon + 1, at)) : 0,
  };
}

/** The addressing mode that a user JID is written in. */
export function modeOf(jid: ParsedJid): AddressingMode {
  return jid.server === 'lid' ? 'lid' : 'pn';
}

export function isUserServer(server: string): boolean {
  return server === 's.whatsapp.net' || server === 'lid' || server === 'c.us';
}

/** `5511…@s.whatsapp.net`, or with a device `5511…:3@s.whatsapp.net`; device 0 is never written. */
export function phoneJid(account: Pick<AccountNames, 'user'>, device = 0): string {
  return device === 0 ? `${account.user}@s.whatsapp.net` : `${account.user}:${device}@s.whatsapp.net`;
}

/** `1234…@lid`, or with a device `1234…:3@lid`; undefined for an account without a LID. */
export function lidJid(account: Pick<AccountNames, 'lid'>, device = 0): string | undefined {
  if (account.lid === null) return undefined;
  return device === 0 ? `${account.lid}@lid` : `${account.lid}:${device}@lid`;
}

/** The account's (or one of its devices') JID in the given addressing mode; by number where it has no LID. */
export function jidIn(mode: AddressingMode, account: AccountNames, device = 0): string {
  return (mode === 'lid' ? lidJid(account, device) : undefined) ?? phoneJid(account, device);
}

/**
 * The same account in the other addressing mode, without a device: what `sender_pn` and its like carry. Undefined
 * for an account without a LID: it has no other name.
 */
export function alternateJid(mode: AddressingMode, account: AccountNames): string | undefined {
  const lid = lidJid(account);
  return mode === 'lid' && lid !== undefined ? phoneJid(account) : lid;
}
