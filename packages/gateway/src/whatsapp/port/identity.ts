/** A JID as text, without a device part: `5511999990001@s.whatsapp.net`, `1234@lid`, `120…@g.us`. */
export type Jid = string;

/** A person, under every name we know. At least one of `jid` (phone number) and `lid` is set. */
export interface Identity {
  jid: Jid | null;
  lid: Jid | null;
}

/** True when both are known under one same name. */
export function sameIdentity(a: Identity, b: Identity): boolean {
  return (a.jid !== null && a.jid === b.jid) || (a.lid !== null && a.lid === b.lid);
}
