import { randomBytes } from 'node:crypto';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../end-to-end/harness.ts';
import { jpeg, sha256 } from '../end-to-end/samples.ts';
import { LinkedShop } from './linked-shop.ts';

/** The host a sender would have us ask: it counts who comes. */
let trap: Server;
let connections = 0;
let host: string;
let linked: LinkedShop;
beforeAll(async () => {
  trap = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve));
  host = `127.0.0.1:${(trap.address() as AddressInfo).port}`;
  // Allowed for what users ask us to fetch: that must not open it for what senders name.
  linked = await LinkedShop.create({ WUTS_ALLOW_NETWORKS: '127.0.0.0/8' });
});
afterAll(async () => {
  await linked.world.destroy();
  await new Promise((resolve) => trap.close(resolve));
});

const media = (id: string, query = '') => linked.api.get(`/messages/${id}/media${query}`);
const emptyCache = () =>
  until('the cache is empty', async () => (await linked.world.gateway.parts.media.emptyCache()) === 0);

describe('an inbound message whose url names a host of the sender', () => {
  test.each([
    'https',
    'http',
  ])('%s: the file comes from WhatsApp’s hosts, the other is not asked', async (scheme) => {
    const bytes = await jpeg();
    const url = `${scheme}://${host}/v/t62.7118-24/evil.enc`;
    const { id } = await linked.contact.sendImage(linked.shop.number, { bytes, url });
    await until('it is in the cache', async () => (await media(id)).status === 200);
    await emptyCache();
    expect(sha256((await media(id)).bytes)).toBe(sha256(bytes));
    expect(connections).toBe(0);
  });

  test('nor when the copy on WhatsApp’s hosts has expired', async () => {
    const bytes = await jpeg();
    const { id } = await linked.contact.sendImage(linked.shop.number, { bytes, url: `https://${host}/x` });
    await until('it is in the cache', async () => (await media(id)).status === 200);
    await emptyCache();
    linked.world.sandbox.cdn.expireAll(404);
    const again = await media(id, '?wait=60');
    expect(sha256(again.bytes)).toBe(sha256(bytes));
    expect(connections).toBe(0);
  });
});

describe('a direct path that is an address', () => {
  test.each([
    ['another host', () => `//${host}/v/x`],
    ['a whole URL', () => `https://${host}/v/x`],
    ['a host after user data', () => `@${host}/v/x`],
    ['backslashes', () => `\\\\${host}\\v\\x`],
    ['a port', () => `:${host.split(':')[1]}/v/x`],
    ['another name', () => `.example.com:${host.split(':')[1]}/v/x`],
    ['a path without a slash', () => 'v/x'],
    ['a path upwards', () => '/../../etc/passwd'],
    ['a line break', () => `/v/x\r\nhost: ${host}\r\n\r\nGET / HTTP/1.1`],
    ['the character U+0000', () => '/v/x\u0000'],
  ])('%s: nobody is asked, and the answer is a documented one', async (_what, directPath) => {
    linked.shop.mediaRetry = 'not_found';
    const { id } = await linked.contact.sendRaw(linked.shop.number, {
      imageMessage: {
        url: `https://${host}/x`,
        directPath: directPath(),
        mediaKey: randomBytes(32),
        fileSha256: randomBytes(32),
        fileEncSha256: randomBytes(32),
        fileLength: 1000,
        mimetype: 'image/jpeg',
      },
    });
    const answer = await until('the message is stored', async () => {
      const got = await media(id, '?wait=60');
      return got.status !== 404 && got;
    });
    expect([202, 410, 502]).toContain(answer.status);
    expect(connections).toBe(0);
  });
});
