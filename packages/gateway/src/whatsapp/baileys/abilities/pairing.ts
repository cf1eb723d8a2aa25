/** Pairing codes. */
import type { SessionPairing } from '../../port/pairing.ts';
import type { Link } from '../connection/link.ts';
import { requestCode } from '../outbound/code-request.ts';

export function pairing(link: Link): SessionPairing {
  return {
    requestCode: (phoneDigits) => link.askUnopened((socket) => requestCode(socket, phoneDigits, link.clock)),
  };
}
