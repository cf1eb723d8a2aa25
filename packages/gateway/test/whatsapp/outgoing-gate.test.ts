import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { holdFrames } from '../../src/whatsapp/baileys/connection/outgoing-gate.ts';

let server: WebSocketServer;
let client: WebSocket;
let received: string[];
let ended: Promise<unknown>;
/** What the gate waits for, one entry for each time it asked. */
let commits: { resolve(): void; reject(error: Error): void }[];
let onAsk: () => void;

async function asked(): Promise<void> {
  if (commits.length > 0) return;
  await new Promise<void>((resolve) => {
    onAsk = resolve;
  });
}

beforeEach(async () => {
  received = [];
  commits = [];
  onAsk = () => undefined;
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  ended = new Promise((resolve) => {
    server.on('connection', (peer) => {
      peer.on('message', (data) => received.push(data.toString()));
      peer.on('close', resolve);
    });
  });
  client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await once(client, 'open');
  const durable = () =>
    new Promise<void>((resolve, reject) => {
      commits.push({ resolve, reject });
      onAsk();
    });
  holdFrames(client as unknown as Parameters<typeof holdFrames>[0], durable);
});
afterEach(async () => {
  client.terminate();
  await new Promise((resolve) => server.close(resolve));
});

const frame = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('the outgoing gate', () => {
  it('loses no frame that comes in the very moment a flush ends', async () => {
    const sent: string[] = [];
    client.send(frame('first'));
    sent.push('first');
    await asked();
    const commit = commits.shift();
    // One frame at each microtask after the commit, so that some fall between the last look and the end.
    let step = Promise.resolve();
    commit?.resolve();
    for (let index = 0; index < 40; index += 1) {
      step = step.then(() => {
        client.send(frame(String(index)));
        sent.push(String(index));
      });
    }
    await step;
    while (received.length < sent.length) {
      commits.shift()?.resolve();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(received).toEqual(sent);
  });

  it('lets frames go when what came before them is durable, in their order', async () => {
    client.send(frame('one'));
    client.send(frame('two'));
    await asked();
    client.send(frame('three'));
    client.ping();
    await once(client, 'pong');
    expect(received).toEqual([]);
    commits.shift()?.resolve();
    await asked();
    client.ping();
    await once(client, 'pong');
    // The third was sent after the gate asked: it may tell of a later commit.
    expect(received).toEqual(['one', 'two']);
    commits.shift()?.resolve();
    client.close();
    await ended;
    expect(received).toEqual(['one', 'two', 'three']);
  });

  it('closes after what was sent before', async () => {
    client.send(frame('last'));
    client.close();
    await asked();
    commits.shift()?.resolve();
    await ended;
    expect(received).toEqual(['last']);
  });

  it('does not wait for the other side, nor for the disk, to close', async () => {
    for (const peer of server.clients) peer.pause();
    client.send(frame('never on the disk'));
    client.close();
    // The test's own limit is far below the 30 s that `ws` waits for an answer.
    await once(client, 'close');
  });

  it('cuts the connection when the disk refuses', async () => {
    client.send(frame('a receipt for what was lost'));
    await asked();
    commits.shift()?.reject(new Error('EIO'));
    await ended;
    expect(received).toEqual([]);
  });
});
