import { RequestRefused, SessionTimeout } from '../../port/errors.ts';
import type { SessionPairing } from '../../port/pairing.ts';
import type { Link } from '../connection/link.ts';
import { type BinaryNode, getBinaryNodeChild, type Socket } from '../library.ts';

/** Who links is not asked much: the answer comes within moments. */
const ANSWER_WITHIN_MS = 10_000;
const REGISTRATION = 'link_code_companion_reg';
const FOREIGN = 'the pairing code was answered under a reference that WhatsApp did not give for it';

/**
 * Linking by a code that a person types into the phone. The library makes the code, asks and does not listen (socket.js
 * `requestPairingCode`), so that one which the server has refused is shown all the same; whatsmeow waits for the
 * reference in the answer (pair-code.go PairPhone). A device that is not linked asks nothing else beside pings.
 *
 * Nor does the library look under which reference a phone answers (messages-recv.js `processNotification`): whoever
 * makes the server pass on an answer of theirs would have it change the secret of the linking, and with it what the QR
 * on the screen says. As in whatsmeow (pair-code.go handleCodePairNotification), an answer counts under the reference
 * of the newest code alone.
 */
export class PairingCode implements SessionPairing {
  readonly #link: Link;
  #ref: string | null = null;
  /** It is told once for each code, and logged each time. */
  #told = false;

  constructor(link: Link) {
    this.#link = link;
  }

  /** Call before the library sees the socket's frames. */
  attach({ ws }: Socket): void {
    // Told of before `CB:notification`, by which the library goes.
    ws.on(`CB:notification,type:${REGISTRATION}`, (node: BinaryNode) => {
      // It keeps an index of a node's children once asked for it (generic-utils.js), so it is not asked here.
      const children = Array.isArray(node.content) ? node.content : [];
      const registration = children.find(({ tag }) => tag === REGISTRATION);
      // The server has other words about a code, which bring no key.
      if (!getBinaryNodeChild(registration, 'primary_identity_pub')) return;
      if (this.#ref !== null && refIn(registration) === this.#ref) return;
      node.content = [];
      this.#refuse();
    });
  }

  requestCode(phoneDigits: string): Promise<string> {
    this.#ref = null;
    return this.#link.askUnopened(async (socket) => {
      const answer = this.#answer(socket);
      answer.catch(() => undefined);
      const code = await socket.requestPairingCode(phoneDigits);
      await answer;
      return code;
    });
  }

  #answer({ ws }: Socket): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const end = (settle: () => void) => {
        cancel();
        ws.off('frame', look);
        settle();
      };
      const look = (frame: BinaryNode) => {
        if (frame.tag !== 'iq') return;
        const error = getBinaryNodeChild(frame, 'error');
        const registration = getBinaryNodeChild(frame, REGISTRATION);
        if (frame.attrs.type === 'error' && error) {
          end(() => reject(new RequestRefused(Number(error.attrs.code), error.attrs.text ?? 'refused')));
        } else if (frame.attrs.type === 'result' && registration) {
          this.#ref = refIn(registration);
          this.#told = false;
          end(resolve);
        }
      };
      const cancel = this.#link.clock.after(ANSWER_WITHIN_MS, () =>
        end(() => reject(new SessionTimeout('WhatsApp did not answer the request for a code'))),
      );
      ws.on('frame', look);
    });
  }

  #refuse(): void {
    this.#link.warnOf({}, FOREIGN);
    if (this.#told) return;
    this.#told = true;
    const notice = { name: 'connection.pair_error', reason: FOREIGN } as const;
    void this.#link.report({ type: 'notice', notice });
  }
}

function refIn(registration: BinaryNode | undefined): string | null {
  const content = getBinaryNodeChild(registration, 'link_code_pairing_ref')?.content;
  if (typeof content === 'string') return content;
  return content instanceof Uint8Array ? Buffer.from(content).toString('utf8') : null;
}
