/** Stanzas as they are read into notices, without a session. */
import type { BinaryNode } from '../../../src/whatsapp/baileys/library.ts';
import { StanzaNotices } from '../../../src/whatsapp/baileys/parse/notices/stanza-notices.ts';

export const OWN = { jid: '5511900000001@s.whatsapp.net', lid: '9001@lid' };
export const ANA = { jid: '5511900000002@s.whatsapp.net', lid: '9002@lid' };
export const GROUP = '120363000000000001@g.us';
/** In seconds, as stanzas have it. */
export const T = '1760000000';

/** Knows both names of Ana alone. */
export const directory = {
  getLIDForPN: async (pn: string) => (pn === ANA.jid ? ANA.lid : null),
  getPNForLID: async (lid: string) => (lid === ANA.lid ? ANA.jid : null),
};

export function node(
  tag: string,
  attrs: Record<string, string> = {},
  content?: BinaryNode['content'],
): BinaryNode {
  return content === undefined ? { tag, attrs } : { tag, attrs, content };
}

/** What the first stanza of a connection says to OWN. */
export function read(stanza: BinaryNode) {
  return new StanzaNotices().noticesIn(stanza, OWN, directory);
}

/** A notification from Ana. */
export function notification(type: string, content: BinaryNode[], attrs: Record<string, string> = {}) {
  return read(node('notification', { from: ANA.jid, id: '1', t: T, type, ...attrs }, content));
}
