import { once } from 'node:events';
import { Curve, proto } from 'baileys';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { FrameReader, frame } from '../../src/wire/frames.ts';
import { startTestNetwork, type TestNetwork } from './test-network.ts';

const HEADER = Buffer.from([0x57, 0x41, 6, 3]);

describe('frames', () => {
  it('are cut out of any split of the bytes, behind a header with or without routing data', () => {
    const bodies = [Buffer.from('one'), Buffer.alloc(0), Buffer.alloc(70_000, 7)];
    const routing = Buffer.from('0102030405', 'hex');
    const prefix = Buffer.from([0x45, 0x44, 0, 1, 0, 0, routing.length]);
    for (const start of [HEADER, Buffer.concat([prefix, routing, HEADER])]) {
      const bytes = Buffer.concat([start, ...bodies.map((body) => frame(body))]);
      for (const step of [11, 1000, bytes.length]) {
        const reader = new FrameReader();
        const got: Buffer[] = [];
        for (let at = 0; at < bytes.length; at += step)
          got.push(...reader.push(bytes.subarray(at, at + step)));
        expect(reader.header).toEqual(HEADER);
        expect(got.map((body) => body.length)).toEqual([3, 0, 70_000]);
        expect(got[2]?.every((byte) => byte === 7)).toBe(true);
      }
    }
  });
});

describe('a connection that does not speak the protocol', () => {
  let net: TestNetwork;
  afterEach(() => net.stop());

  it('is cut off, and others go on', async () => {
    net = await startTestNetwork();
    const hello = proto.HandshakeMessage.encode({
      clientHello: { ephemeral: Curve.generateKeyPair().public },
    }).finish();
    const garbage = [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.concat([HEADER, frame(Buffer.from('no protobuf'))]),
      Buffer.concat([HEADER, frame(hello), frame(Buffer.alloc(100, 1))]),
    ];
    for (const bytes of garbage) {
      const socket = new WebSocket(net.url);
      await once(socket, 'open');
      const closed = once(socket, 'close');
      socket.send(bytes);
      await closed;
    }
    await net.client().connect().qr();
  });
});
