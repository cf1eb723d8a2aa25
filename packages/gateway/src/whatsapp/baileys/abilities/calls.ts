/** Calls, refused. */
import type { SessionCalls } from '../../port/calls.ts';
import { RequestRefused } from '../../port/errors.ts';
import type { Link } from '../connection/link.ts';
import { assertAnswered } from '../connection/unanswered.ts';
import type { BinaryNode } from '../library.ts';

export function calls(link: Link): SessionCalls {
  return {
    /**
     * `<call to><reject call-id call-creator count="0"/></call>` (whatsmeow call.go RejectCall, Baileys
     * messages-recv.js `rejectCall`). People are addressed by LID where it is known, as their offers are.
     */
    reject: ({ callId, from }) =>
      link.ask(async (socket) => {
        const caller = from.lid ?? from.jid ?? '';
        const attrs = { 'call-id': callId, 'call-creator': caller, count: '0' };
        const ack: BinaryNode = await socket.query({
          tag: 'call',
          attrs: { id: socket.generateMessageTag(), from: link.own().jid, to: caller },
          content: [{ tag: 'reject', attrs }],
        });
        assertAnswered();
        const { error } = ack.attrs;
        if (error !== undefined) throw new RequestRefused(Number(error), 'the call was not rejected');
      }),
  };
}
