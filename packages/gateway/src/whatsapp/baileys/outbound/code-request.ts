import type { Clock } from '../../../clock.ts';
import { RequestRefused, SessionTimeout } from '../../port/errors.ts';
import { type BinaryNode, getBinaryNodeChild, type Socket } from '../library.ts';

/** Who links is not asked much: the answer comes within moments. */
const ANSWER_WITHIN_MS = 10_000;

/**
 * A code that the server knows. The library makes the code, asks and does not listen (socket.js
 * `requestPairingCode`), so that one which the server has refused is shown all the same; whatsmeow waits for the
 * reference in the answer (pair-code.go PairPhone). A device that is not linked asks nothing else beside pings.
 */
export async function requestCode(socket: Socket, phoneDigits: string, clock: Clock): Promise<string> {
  const answer = new Promise<void>((resolve, reject) => {
    const end = (settle: () => void) => {
      cancel();
      socket.ws.off('frame', look);
      settle();
    };
    const look = (frame: BinaryNode) => {
      if (frame.tag !== 'iq') return;
      const error = getBinaryNodeChild(frame, 'error');
      if (frame.attrs.type === 'error' && error) {
        end(() => reject(new RequestRefused(Number(error.attrs.code), error.attrs.text ?? 'refused')));
      } else if (frame.attrs.type === 'result' && getBinaryNodeChild(frame, 'link_code_companion_reg')) {
        end(resolve);
      }
    };
    const cancel = clock.after(ANSWER_WITHIN_MS, () =>
      end(() => reject(new SessionTimeout('WhatsApp did not answer the request for a code'))),
    );
    socket.ws.on('frame', look);
  });
  answer.catch(() => undefined);
  const code = await socket.requestPairingCode(phoneDigits);
  await answer;
  return code;
}
