import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { expectRefused, LinkedShop } from './linked-shop.ts';

/** Listens on every loopback address: what is refused would be answered, were it asked. */
let trap: Server;
let connections = 0;
let port: number;
let linked: LinkedShop;
beforeAll(async () => {
  trap = createServer((socket) => {
    connections += 1;
    socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nsecret');
  });
  await new Promise<void>((resolve) => trap.listen(0, '::', resolve));
  port = (trap.address() as AddressInfo).port;
  linked = await LinkedShop.create();
});
afterAll(async () => {
  await linked.world.destroy();
  await new Promise((resolve) => trap.close(resolve));
});
afterEach(() => linked.expectNothingSent());

const send = (kind: string, url: string) =>
  linked.api.post(`/send/${kind}`, {
    number: linked.contact.number,
    [`${kind}_url`]: url,
    file_name: 'x',
  });

describe('a URL that leads inside', () => {
  const HOSTS = [
    '127.0.0.1',
    '127.1',
    '127.255.255.254',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '0177.0.0.1',
    '017700000001',
    '0.0.0.0',
    '0',
    'localhost',
    'LOCALHOST',
    'localhost.',
    '%6c%6f%63alhost',
    '①②⑦.⓪.⓪.①',
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '169.254.169.254',
    '2852039166',
    '0xa9fea9fe',
    '[::ffff:169.254.169.254]',
    '[fd00:ec2::254]',
    '[fe80::1]',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '168.63.129.16',
    '224.0.0.1',
    '255.255.255.255',
    '[fc00::1]',
  ];
  test.each(HOSTS)('http://%s: 400, and nobody is asked', async (host) => {
    const before = connections;
    expectRefused(await send('image', `http://${host}:${port}/a.jpg`), {
      status: 400,
      code: 'INVALID_MEDIA',
      field: 'image_url',
    });
    expect(connections).toBe(before);
  });

  test.each(['image', 'video', 'audio', 'document', 'sticker'])('is refused by /send/%s', async (kind) => {
    expectRefused(await send(kind, `https://127.0.0.1:${port}/`), {
      status: 400,
      code: 'INVALID_MEDIA',
      field: `${kind}_url`,
    });
    expect(connections).toBe(0);
  });
});

test.each([
  'not a URL',
  '/etc/passwd',
  '//127.0.0.1/x',
  'file:///etc/passwd',
  'ftp://example.com/a.jpg',
  'gopher://127.0.0.1:6379/_FLUSHALL',
  'data:image/jpeg;base64,aGk=',
  'javascript:alert(1)',
  'http://',
  'http://[::1',
  'http://user:password@example.com/a.jpg',
  'https://example.com:99999/a.jpg',
  `http://${'a'.repeat(10_000)}`,
])('%s: 400', async (url) => {
  const answer = await send('image', url);
  expectRefused(answer, { status: 400, code: 'INVALID_MEDIA', field: 'image_url' });
  expect(answer.bytes.toString()).not.toContain('user:password');
});
