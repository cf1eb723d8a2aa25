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

/**
 * Makes the library trust another network's Noise root.
 * `WA_CERT_DETAILS.PUBLIC_KEY` is a mutable export that `noise-handler.js` reads at each handshake,
 * so one process talks to one network: the setting is process-wide on purpose.
 */
export function trustNetwork(network: NetworkOptions): void {
  if (!network.rootKey) return;
  if (network.url === WHATSAPP_NETWORK_URL) {
    throw new Error('the Noise root of the default network cannot be replaced');
  }
  WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(network.rootKey);
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
