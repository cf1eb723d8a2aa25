import type { SessionPairing } from '../../port/pairing.ts';
import type { Link } from '../connection/link.ts';

export function pairing(link: Link): SessionPairing {
  return {
    requestCode: (phoneDigits) => link.askUnopened((socket) => socket.requestPairingCode(phoneDigits)),
  };
}
