/** What keeps its order among the deliveries of an endpoint. */
import type { Identity, Jid } from '../whatsapp/port/identity.ts';

/** A chat or person under every name that is known, or a fixed word such as `device` for what has no chat. */
export type OrderKey = Identity | string;

/** A person under both names. */
export interface BothNames {
  jid: Jid;
  lid: Jid;
}

/** As it is stored. The LID, once it is known: it stays when somebody changes the number. */
export function orderKeyText(key: OrderKey): string {
  return typeof key === 'string' ? key : (key.lid ?? key.jid ?? 'device');
}

/** Who is who, when the key tells it. */
export function bothNames(key: OrderKey): BothNames | null {
  if (typeof key === 'string' || key.jid === null || key.lid === null) return null;
  return { jid: key.jid, lid: key.lid };
}
