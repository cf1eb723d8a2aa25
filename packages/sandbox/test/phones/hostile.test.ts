import { proto } from 'baileys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Phone, type Sandbox, startSandbox } from '../../src/index.ts';
import { Client } from '../network/baileys-client.ts';

let sandbox: Sandbox;
let mallory: Phone;
let bob: Phone;
let client: Client;
interface Frame {
  tag: string;
  attrs: Record<string, string>;
}
const frames: Frame[] = [];

beforeAll(async () => {
  sandbox = await startSandbox({ companionRegRefresh: 'never' });
  mallory = await sandbox.createPhone({ number: '5511999990001', name: 'Mallory' });
  bob = await sandbox.createPhone({ number: '5511999990002', name: 'Bob' });
  client = new Client({ url: sandbox.url, rootPublic: Buffer.from(sandbox.rootKey, 'hex') }).connect();
  await bob.scanQr(await client.qr());
  await client.closed();
  await client.end();
  client.connect();
  client.socket.ws.on('frame', (frame) => {
    if ('attrs' in frame) frames.push(frame);
  });
  await client.open();
});

afterAll(async () => {
  await client.end();
  await sandbox.stop();
});

const companion = (): string => `${bob.number}:1@s.whatsapp.net`;
async function frameOf(fits: (frame: Frame) => boolean): Promise<Frame> {
  await expect.poll(() => frames.filter(fits)).not.toEqual([]);
  return frames.find(fits) as Frame;
}

test('a push name and attributes are any text', async () => {
  mallory.hostile.setPushName('call me @');
  const { id } = await mallory.sendText(bob, 'hello');
  expect((await bob.waitForMessage((message) => message.id === id)).pushName).toBe('call me @');

  const text = proto.Message.encode({ conversation: 'by hand' }).finish();
  const attrs = { notify: 'x@g.us', addressing_mode: null, surprise: '@@' };
  await mallory.hostile.sendPlaintext(bob, text, { id: 'BYHAND', attrs });
  const frame = await frameOf((each) => each.attrs.id === 'BYHAND');
  expect(frame.attrs).toMatchObject({ notify: 'x@g.us', surprise: '@@' });
  expect(frame.attrs.addressing_mode).toBeUndefined();
  await client.message('by hand');
});

test('a plaintext is any bytes, in a message that decrypts', async () => {
  const before = bob.problems.length;
  const id = await mallory.hostile.sendPlaintext(bob, Buffer.alloc(10, 0xff));
  await frameOf((frame) => frame.attrs.id === id);
  await bob.idle();
  const problems = bob.problems.slice(before).map(({ message }) => message);
  expect(problems).toEqual([]);
  await mallory.sendText(bob, 'the session goes on');
  await client.message('the session goes on');
});

test('receipts name any ids, a retry brings keys for a session', async () => {
  await mallory.hostile.forgeReceipt(bob, { type: 'retry', ids: ['GUESS1', 'GUESS2'], count: 3 });
  await mallory.hostile.forgeReceipt(companion(), { type: 'retry', ids: ['GUESS3'] });
  await bob.waitForReceipt(({ messageId, type }) => messageId === 'GUESS2' && type === 'retry');
  await frameOf(({ tag, attrs }) => tag === 'receipt' && attrs.id === 'GUESS3' && attrs.type === 'retry');
});

test('stanzas come as if the server had written them', async () => {
  const attrs = { from: '@s.whatsapp.net', type: 'w:gp2', id: 'INJECTED', participant: 'no jid' };
  mallory.hostile.inject(companion(), { tag: 'notification', attrs });
  expect((await frameOf((frame) => frame.attrs.id === 'INJECTED')).attrs).toEqual(attrs);
  expect(() => mallory.hostile.inject('1@s.whatsapp.net', { tag: 'ib', attrs: {} })).toThrow('no device');
});

test('an own phone hands its companions broken patches and histories', async () => {
  bob.hostile.appStatePatch('regular_low', Buffer.alloc(10, 0xff));
  expect(sandbox.network.appState.patchesAfter(bob.number, 'regular_low', 0).at(-1)).toEqual(
    Buffer.alloc(10, 0xff),
  );
  await frameOf(({ tag, attrs }) => tag === 'notification' && attrs.type === 'server_sync');
  const before = frames.length;
  await bob.hostile.history(1, { bytes: Buffer.from('no deflate') });
  await bob.hostile.history(1, { bytes: Buffer.from('no deflate'), inline: false });
  await expect
    .poll(() => frames.slice(before).filter(({ attrs }) => attrs.category === 'peer'))
    .toHaveLength(2);
});
