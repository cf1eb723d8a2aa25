import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { rootCertificates } from 'node:tls';
import { WA_CERT_DETAILS } from '../library.ts';

/** WhatsApp's own network: its Noise root is compiled into the library and is never replaced for it. */
export const DEFAULT_NETWORK_URL = 'wss://web.whatsapp.com/ws/chat';

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
  if (network.url === DEFAULT_NETWORK_URL) {
    throw new Error('the Noise root of the default network cannot be replaced');
  }
  WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(network.rootKey);
}

/** The HTTPS agent for a `wss:` network with its own CA, or undefined when the system's CAs do. */
export function networkAgent(network: NetworkOptions): Agent | undefined {
  if (!network.caFile || !network.url.startsWith('wss:')) return undefined;
  return new Agent({ ca: [...rootCertificates, readFileSync(network.caFile, 'utf8')] });
}
