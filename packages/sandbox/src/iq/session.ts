import { childNamed, childrenNamed, stanza } from '../wire/stanza.ts';
import type { IqHandler } from './answer.ts';

/** `passive`: after login the client says `<active/>` and then gets what was stored for it. */
const passive: IqHandler = ({ network, sender, iq }) => {
  const active = childNamed(iq, 'active') !== undefined;
  return { after: () => (active ? network.delivery.startDelivery(sender) : undefined) };
};

const acknowledge: IqHandler = () => ({});

/** `abt`: server properties. None are set, so clients keep their defaults. */
const properties: IqHandler = () => ({
  content: [
    stanza('props', { protocol: '1', ab_key: '', hash: 'sandbox', refresh: '86400', refresh_id: '0' }),
  ],
});

/** `urn:xmpp:whatsapp:dirty`: the client has fetched what `<ib><dirty type/></ib>` named. */
const clean: IqHandler = ({ sender, iq }) => {
  for (const { attrs } of childrenNamed(iq, 'clean')) sender.dirty.delete(attrs.type ?? '');
  return {};
};

/** Keep-alive, passive mode, server properties, and questions that only want a yes. */
export const sessionHandlers: ReadonlyArray<readonly [string, IqHandler]> = [
  ['w:p', acknowledge],
  ['urn:xmpp:ping', acknowledge],
  ['passive', passive],
  ['abt', properties],
  ['w', properties],
  ['w:stats', acknowledge],
  ['urn:xmpp:whatsapp:dirty', clean],
  ['urn:xmpp:whatsapp:push', acknowledge],
];
