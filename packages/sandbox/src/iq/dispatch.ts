import type { BinaryNode } from 'baileys';
import type { RegisteredDevice } from '../network/directory.ts';
import type { Network } from '../network/network.ts';
import { SERVER_JID, stanza } from '../wire/stanza.ts';
import { accountHandlers } from './account.ts';
import { appStateHandlers } from './app-state.ts';
import { encryptHandlers } from './encrypt.ts';
import { groupHandlers } from './groups.ts';
import { linkingHandlers } from './linking.ts';
import { mediaHandlers } from './media.ts';
import { mexHandlers } from './mex.ts';
import { sessionHandlers } from './session.ts';
import { usyncHandlers } from './usync.ts';

/** A question of a device. */
export interface IqRequest {
  readonly network: Network;
  readonly sender: RegisteredDevice;
  readonly iq: BinaryNode;
}

/** The answer: children of the result, an error, and what happens after it was sent. */
export interface IqAnswer {
  readonly content?: BinaryNode[];
  readonly error?: { readonly code: number; readonly text: string };
  after?(): void;
}

export type IqHandler = (request: IqRequest) => IqAnswer;

/** Errors as the server words them. */
export const BAD_REQUEST = { code: 400, text: 'bad-request' } as const;
export const FORBIDDEN = { code: 403, text: 'forbidden' } as const;
export const NOT_FOUND = { code: 404, text: 'item-not-found' } as const;
export const CONFLICT = { code: 409, text: 'conflict' } as const;
export const NOT_IMPLEMENTED = { code: 501, text: 'feature-not-implemented' } as const;

const HANDLERS: ReadonlyMap<string, IqHandler> = new Map([
  ...sessionHandlers,
  ...encryptHandlers,
  ...usyncHandlers,
  ...linkingHandlers,
  ...mediaHandlers,
  ...groupHandlers,
  ...accountHandlers,
  ...appStateHandlers,
  ...mexHandlers,
]);

/** Answers an `<iq type="get|set">` by its `xmlns`; unknown ones with 501. Answers of clients are dropped. */
export function dispatchIq(network: Network, sender: RegisteredDevice, iq: BinaryNode): void {
  const { type, id, xmlns } = iq.attrs;
  if (type === 'result' || type === 'error') return;
  const linking = network.pairingIq?.(sender, iq);
  if (linking) {
    network.send(sender, linking);
    return;
  }
  const handler = HANDLERS.get(xmlns ?? '');
  const answer = handler ? handler({ network, sender, iq }) : { error: NOT_IMPLEMENTED };
  const from = iq.attrs.to === undefined || iq.attrs.to === '@s.whatsapp.net' ? SERVER_JID : iq.attrs.to;
  network.send(sender, answerStanza(from, id, answer));
  answer.after?.();
}

function answerStanza(from: string, id: string | undefined, answer: IqAnswer): BinaryNode {
  if (answer.error) {
    const { code, text } = answer.error;
    return stanza('iq', { from, type: 'error', id }, [stanza('error', { code: String(code), text })]);
  }
  return stanza('iq', { from, type: 'result', id }, answer.content);
}
