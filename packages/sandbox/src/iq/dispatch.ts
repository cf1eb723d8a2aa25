import type { BinaryNode } from 'baileys';
import type { NetworkServices } from '../services.ts';
import type { RegisteredDevice } from '../state/directory.ts';
import { SERVER_JID, stanza } from '../wire/stanza.ts';
import { accountHandlers } from './account.ts';
import { type IqAnswer, type IqHandler, NOT_IMPLEMENTED } from './answer.ts';
import { appStateHandlers } from './app-state.ts';
import { businessHandlers } from './business.ts';
import { contactLinkHandlers } from './contact-links.ts';
import { encryptHandlers } from './encrypt.ts';
import { groupHandlers } from './groups.ts';
import { linkingHandlers } from './linking.ts';
import { mediaHandlers } from './media.ts';
import { mexHandlers } from './mex.ts';
import { newsletterHandlers } from './newsletters.ts';
import { pictureHandlers } from './pictures.ts';
import { sessionHandlers } from './session.ts';
import { usyncHandlers } from './usync.ts';

const HANDLERS: ReadonlyMap<string, IqHandler> = new Map([
  ...sessionHandlers,
  ...encryptHandlers,
  ...usyncHandlers,
  ...linkingHandlers,
  ...mediaHandlers,
  ...groupHandlers,
  ...accountHandlers,
  ...businessHandlers,
  ...contactLinkHandlers,
  ...pictureHandlers,
  ...appStateHandlers,
  ...mexHandlers,
  ...newsletterHandlers,
]);

/** Answers an `<iq type="get|set">` by its `xmlns`; unknown ones with 501. Answers of clients are dropped. */
export function dispatchIq(network: NetworkServices, sender: RegisteredDevice, iq: BinaryNode): void {
  const { type, id, xmlns } = iq.attrs;
  if (type === 'result' || type === 'error') return;
  const linking = network.pairingIq?.(sender, iq);
  if (linking) {
    network.delivery.send(sender, linking);
    return;
  }
  const order = network.orders.takeAnswer(sender, iq);
  if (order === 'silence') return;
  if (order !== undefined) {
    const error = { code: order, text: 'ordered' };
    network.delivery.send(sender, answerStanza(whoAnswers(iq.attrs.to), id, { error }));
    return;
  }
  const handler = HANDLERS.get(xmlns ?? '');
  const answer = handler ? handler({ network, sender, iq }) : { error: NOT_IMPLEMENTED };
  const from = whoAnswers(iq.attrs.to);
  if (!network.orders.losesAnswer(sender, iq)) {
    network.delivery.send(sender, answerStanza(from, id, answer));
  }
  answer.after?.();
}

/** A server asked by its bare name answers by its JID. */
function whoAnswers(to: string | undefined): string {
  if (to === undefined) return SERVER_JID;
  return to.includes('@') ? to : `@${to}`;
}

function answerStanza(from: string, id: string | undefined, answer: IqAnswer): BinaryNode {
  if (answer.error) {
    const { code, text } = answer.error;
    return stanza('iq', { from, type: 'error', id }, [stanza('error', { code: String(code), text })]);
  }
  return stanza('iq', { from, type: 'result', id }, answer.content);
}
