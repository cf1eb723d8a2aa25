import { AsyncLocalStorage } from 'node:async_hooks';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { rootCertificates } from 'node:tls';
import { WHATSAPP_NETWORK_URL } from '../../port/connection.ts';
import type { Route } from '../../port/route.ts';
import { WA_CERT_DETAILS } from '../library.ts';

export interface NetworkOptions {
  url: string;
  /** Public key (32 bytes) of the Noise root to trust instead of WhatsApp's; null on the default network. */
  rootKey: Uint8Array | null;
  /** PEM file with an extra CA for the WebSocket and the media hosts. */
  caFile: string | null;
}

/** Of the network whose socket the running code belongs to. */
const trusted = new AsyncLocalStorage<Buffer>();

/** Throws for another root than WhatsApp's on the default network. */
export function refuseForeignRoot({ url, rootKey }: NetworkOptions): void {
  if (rootKey && url === WHATSAPP_NETWORK_URL) {
    throw new Error('the Noise root of the default network cannot be replaced');
  }
}

/**
 * Makes a socket that trusts the Noise root of its network; without one it trusts WhatsApp's. The library reads
 * `WA_CERT_DETAILS.PUBLIC_KEY`, one for the process, at each handshake (noise-handler.js), which runs in the context in
 * which its socket was made: there it finds the network's own.
 */
export function trusting<T>(network: NetworkOptions, makeSocket: () => T): T {
  refuseForeignRoot(network);
  if (!network.rootKey) return trusted.exit(makeSocket);
  answerByContext();
  return trusted.run(Buffer.from(network.rootKey), makeSocket);
}

let byContext = false;

function answerByContext(): void {
  if (byContext) return;
  byContext = true;
  let others = WA_CERT_DETAILS.PUBLIC_KEY;
  Object.defineProperty(WA_CERT_DETAILS, 'PUBLIC_KEY', {
    get: () => trusted.getStore() ?? others,
    set: (key: typeof others) => {
      others = key;
    },
  });
}

/**
 * The agent for the WebSocket: by the route, where there is one, else for a `wss:` network with its own CA, else
 * undefined, because the library's default does.
 */
export function networkAgent(network: NetworkOptions, route: Route | null): Agent | undefined {
  const secure = network.url.startsWith('wss:');
  const ca = network.caFile && secure ? [...rootCertificates, readFileSync(network.caFile, 'utf8')] : null;
  if (route) return route.agent({ secure, ca });
  return ca ? new Agent({ ca }) : undefined;
}
