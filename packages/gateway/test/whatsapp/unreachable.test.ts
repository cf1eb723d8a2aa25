import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { tryNetwork } from '../../src/net/reachability.ts';
import { createBaileysSessionFactory } from '../../src/whatsapp/baileys/session.ts';
import type { UnreachableCause } from '../../src/whatsapp/port/unreachable.ts';
import { MemoryCredentials } from './memory-credentials.ts';
import { Recorder } from './recorder.ts';

let server: Server | null = null;
afterEach(async () => {
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(null)));
  server = null;
});

/** A host that answers everything with this status, as proxies and captive portals do. */
async function answering(status: number): Promise<string> {
  const made = createServer((_request, response) => response.writeHead(status).end());
  made.on('upgrade', (_request, socket) => {
    socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
  });
  server = made;
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  return `ws://127.0.0.1:${(made.address() as AddressInfo).port}/ws/chat`;
}

/** How a session that starts at `url` ends. */
async function endOfSession(url: string) {
  const recorder = new Recorder();
  const factory = createBaileysSessionFactory({
    network: { url, rootKey: new Uint8Array(32), caFile: null },
    log: { debug: () => undefined, warn: () => undefined, error: () => undefined },
    clock: systemClock,
  });
  const session = await factory({
    deviceId: 'device',
    credentials: new MemoryCredentials(),
    report: recorder.report,
    route: null,
    loadSentMessage: async () => null,
    hasReceived: async () => false,
  });
  await session.start();
  const closed = await recorder.next('closed');
  await session.stop();
  return closed;
}

test.each<[string, () => Promise<string>, UnreachableCause]>([
  ['a port that nobody listens on', async () => 'ws://127.0.0.1:9/ws/chat', 'refused'],
  ['a name that does not exist', async () => 'ws://whatsapp.invalid/ws/chat', 'dns'],
  ['plain HTTP where TLS is spoken', async () => (await answering(200)).replace('ws:', 'wss:'), 'tls'],
  ['a proxy that wants a password', () => answering(407), 'proxy'],
  // A status of the way there is not WhatsApp's: it must not unlink the device (401), nor ban it (403).
  ['a portal that wants a login', () => answering(401), 'http'],
  ['a firewall that forbids it', () => answering(403), 'http'],
  ['a gateway that is down', () => answering(503), 'http'],
])('%s is named, and is no word of WhatsApp', async (_name, makeUrl, cause) => {
  const url = await makeUrl();
  const { host } = new URL(url);
  expect(await endOfSession(url)).toMatchObject({
    reason: 'connection_lost',
    statusCode: null,
    unreachable: { host, cause },
  });
  expect(await tryNetwork({ url, caFile: null })).toMatchObject({ host, cause });
});
