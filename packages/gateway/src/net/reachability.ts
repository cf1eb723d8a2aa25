/** Tries the way to WhatsApp's server. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type IncomingMessage, request as plainRequest, type RequestOptions } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { rootCertificates } from 'node:tls';
import type { Route } from '../whatsapp/port/route.ts';
import { type Unreachable, unreachable } from '../whatsapp/port/unreachable.ts';

const TIMEOUT_MS = 10_000;
const ORIGIN = 'https://web.whatsapp.com';

export interface NetworkToTry {
  url: string;
  caFile: string | null;
}

/** Asks for the WebSocket as a session does, by the route if there is one, and closes it unused. Null when it was given. */
export function tryNetwork(network: NetworkToTry, route: Route | null = null): Promise<Unreachable | null> {
  return new Promise((resolve) => {
    const asked = ask(network, route, {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        origin: ORIGIN,
        'sec-websocket-version': '13',
        'sec-websocket-key': randomBytes(16).toString('base64'),
      },
    });
    asked.on('upgrade', (_answer, socket) => {
      socket.destroy();
      resolve(null);
    });
    asked.on('response', (answer: IncomingMessage) => {
      answer.destroy();
      resolve(unreachable(network.url, new Error(`Unexpected server response: ${answer.statusCode}`)));
    });
    asked.on('error', (error) => resolve(unreachable(network.url, error)));
    asked.end();
  });
}

/** What the server's host takes the time to be, in milliseconds and accurate to a second; null when it does not say. */
export function timeOfNetwork(network: NetworkToTry): Promise<number | null> {
  return new Promise((resolve) => {
    const asked = ask(network, null, { method: 'HEAD' });
    asked.on('response', (answer: IncomingMessage) => {
      answer.destroy();
      // The date of HTTP (RFC 9110, 5.6.7) is no RFC 3339 time.
      const told = new Date(answer.headers.date ?? '').getTime();
      resolve(Number.isNaN(told) ? null : told);
    });
    asked.on('error', () => resolve(null));
    asked.end();
  });
}

function ask({ url, caFile }: NetworkToTry, route: Route | null, options: RequestOptions) {
  const secure = url.startsWith('wss:');
  const target = new URL(url.replace(/^ws/, 'http'));
  const ca = caFile && secure ? [...rootCertificates, readFileSync(caFile, 'utf8')] : null;
  const agent: RequestOptions['agent'] = route ? route.agent({ secure, ca }) : false;
  const limited = { ...options, timeout: TIMEOUT_MS, agent };
  const asked = secure
    ? tlsRequest(target, { ...limited, ...(ca ? { ca } : {}) })
    : plainRequest(target, limited);
  asked.on('timeout', () => {
    asked.destroy(Object.assign(new Error(`timed out after ${TIMEOUT_MS / 1000} s`), { code: 'ETIMEDOUT' }));
  });
  return asked;
}
