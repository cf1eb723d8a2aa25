/** Who gets a message of ours again when a retry receipt asks for it. */
import { type Phone, type Sandbox, startSandbox } from '@wuts/sandbox';
import { type BinaryNode, getBinaryNodeChild } from 'baileys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { wireCodec } from '../../src/whatsapp/baileys/parse/wire-codec.ts';
import { type Identity, sameIdentity } from '../../src/whatsapp/port/identity.ts';
import type { WhatsAppSession } from '../../src/whatsapp/port/session.ts';
import type { WireMessage } from '../../src/whatsapp/port/wire-message.ts';
import { linkSession, sessionsOn } from './linked-session.ts';
import type { MemoryCredentials } from './memory-credentials.ts';
import type { Recorder } from './recorder.ts';

let sandbox: Sandbox;
let session: WhatsAppSession;
let recorder: Recorder;
let credentials: MemoryCredentials;
/** The companion, by number and by LID. */
let device: string;
let lidDevice: string;
let ana: Phone;
let stranger: Phone;
let group: string;
let member: Phone;
/** Known by number alone, with Ana in a group. */
let withoutLid: Phone;
let smallGroup: string;
/** What the account sent, by id. */
const sent = new Map<string, { chat: Identity; raw: Uint8Array }>();

beforeAll(async () => {
  sandbox = await startSandbox();
  const factory = sessionsOn(sandbox);
  const linked = await linkSession(sandbox, factory, '5511988890001');
  await linked.session.stop();
  recorder = linked.recorder;
  credentials = linked.credentials;
  session = await factory({
    deviceId: 'test',
    credentials: linked.credentials,
    report: recorder.report,
    route: null,
    loadSentMessage: async (chat, id) => {
      const found = sent.get(id);
      return found && sameIdentity(found.chat, chat) ? found.raw : null;
    },
    hasReceived: async () => false,
  });
  await session.start();
  await recorder.next('open');
  device = `5511988890001:${linked.phone.companions[0]}@s.whatsapp.net`;
  lidDevice = linked.phone.lid.replace('@', `:${linked.phone.companions[0]}@`);
  [ana, stranger, member] = (await Promise.all(
    ['Ana', 'Stranger', 'Member'].map((name, n) =>
      sandbox.createPhone({ number: `551198889000${n + 2}`, name }),
    ),
  )) as [Phone, Phone, Phone];
  withoutLid = await sandbox.createPhone({ number: '5511988890009', name: 'Without', lid: null });
  group = (await linked.phone.createGroup('Team', [ana, member])).jid;
  smallGroup = (await linked.phone.createGroup('Small', [ana, withoutLid])).jid;
});
afterAll(async () => {
  await session.stop();
  await sandbox.stop();
});

const namesOf = (phone: Phone): Identity => ({ jid: phone.jid, lid: phone.lid });

async function send(to: string, chat: Identity, what: string | WireMessage): Promise<string> {
  const id = session.messages.newId();
  const message = typeof what === 'string' ? { conversation: what } : what;
  sent.set(id, { chat, raw: wireCodec.encode(message) });
  await session.messages.send({ to, id, message });
  return id;
}

/** A phone's receipt that the message has come, once for each time that it came. */
const delivered = (phone: Phone, id: string) =>
  recorder.next(
    'receipt',
    ({ receipt }) =>
      receipt.kind === 'delivered' && receipt.messageIds.includes(id) && receipt.recipient.jid === phone.jid,
  );

/** Whatever was asked before has been answered, or not: a message sent now has come to that phone. */
async function caughtUp(phone: Phone): Promise<void> {
  const id = await send(phone.jid, namesOf(phone), 'and now?');
  await phone.waitForMessage((message) => message.id === id);
}

const retry = (phone: Phone, ids: string[], more: { to?: string; attrs?: Record<string, string> } = {}) =>
  phone.hostile.forgeReceipt(more.to ?? device, { type: 'retry', ids, ...more });

const received = (phone: Phone, id: string) => phone.inbox.filter((message) => message.id === id).length;

test('whom it was sent to gets it again, named by number or by LID', async () => {
  const id = await send(ana.jid, namesOf(ana), 'for Ana');
  await delivered(ana, id);
  await retry(ana, [id]);
  await delivered(ana, id);
  await retry(ana, [id], { to: lidDevice });
  await delivered(ana, id);
});

test('nobody else does, whatever the receipt says', async () => {
  const id = await send(ana.jid, namesOf(ana), 'secret');
  await delivered(ana, id);
  await retry(stranger, [id]);
  await retry(stranger, [id], { attrs: { recipient: ana.jid, participant: ana.jid } });
  stranger.hostile.inject(device, {
    tag: 'receipt',
    attrs: { from: stranger.lid, participant: ana.lid, recipient: ana.lid, type: 'retry', id, t: '1' },
    content: [{ tag: 'retry', attrs: { id, count: '1', v: '1', t: '1' } }],
  });
  await sandbox.waitForAcknowledged(device);
  await caughtUp(stranger);
  expect(received(stranger, id)).toBe(0);
});

test('of the ids in a receipt one is answered', async () => {
  const ids = [await send(ana.jid, namesOf(ana), 'one'), await send(ana.jid, namesOf(ana), 'two')];
  for (const id of ids) await delivered(ana, id);
  await retry(ana, ids);
  await delivered(ana, ids[0] ?? '');
  await caughtUp(ana);
  const more = recorder.events.filter(
    (event) => event.type === 'receipt' && event.receipt.messageIds.includes(ids[1] ?? ''),
  );
  expect(more).toEqual([]);
});

test('a device gets a message nine times again at most', async () => {
  const id = await send(ana.jid, namesOf(ana), 'once more');
  await delivered(ana, id);
  for (let n = 1; n <= 12; n += 1) await retry(ana, [id], { attrs: { t: String(n) } });
  for (let n = 1; n <= 9; n += 1) await delivered(ana, id);
  await sandbox.waitForAcknowledged(device);
  await caughtUp(ana);
  expect(recorder.events.filter((e) => e.type === 'receipt' && e.receipt.messageIds.includes(id))).toEqual(
    [],
  );
});

test('in a group the member who asks gets it, nobody else again', async () => {
  const id = await send(group, { jid: group, lid: null }, 'for all');
  await delivered(ana, id);
  await delivered(member, id);
  await retry(ana, [id], { to: group, attrs: { participant: device } });
  await delivered(ana, id);
  await sandbox.waitForAcknowledged(device);
  await caughtUp(member);
  expect(recorder.events.filter((e) => e.type === 'receipt' && e.receipt.messageIds.includes(id))).toEqual(
    [],
  );
});

test('whom the server knows by number alone gets it again, alone and in a group', async () => {
  const names = { jid: withoutLid.jid, lid: null };
  const id = await send(withoutLid.jid, names, 'for you');
  await delivered(withoutLid, id);
  await retry(withoutLid, [id]);
  await delivered(withoutLid, id);
  const inGroup = await send(smallGroup, { jid: smallGroup, lid: null }, 'for both');
  for (const each of [ana, withoutLid]) await delivered(each, inGroup);
  await retry(withoutLid, [inGroup], { to: smallGroup, attrs: { participant: device } });
  await delivered(withoutLid, inGroup);
});

test('what is sent again is one ciphertext, for the one device', async () => {
  const id = await send(ana.jid, namesOf(ana), 'once');
  await delivered(ana, id);
  const routed: BinaryNode[] = [];
  const end = sandbox.network.onStanza((node) => {
    if (node.tag === 'message' && node.attrs.id === id) routed.push(node);
  });
  await retry(ana, [id]);
  await delivered(ana, id);
  end();
  const [{ attrs, content }] = routed as [BinaryNode];
  expect(attrs).toMatchObject({ to: ana.jid, type: 'text', device_fanout: 'false' });
  expect((content as BinaryNode[]).map(({ tag }) => tag)).toEqual(['enc', 'device-identity']);
});

test.each([
  ['a poll', { pollCreationMessage: { name: 'When?', options: [] } }, { polltype: 'creation' }],
  ['an event', { eventMessage: { name: 'Party', startTime: 1_780_000_000 } }, { event_type: 'creation' }],
])('%s says what it is when it is sent again too', async (_kind, message, meta) => {
  const id = await send(ana.jid, namesOf(ana), message);
  await delivered(ana, id);
  const again: BinaryNode[] = [];
  const end = sandbox.network.onStanza((node) => {
    if (node.tag === 'message' && node.attrs.id === id) again.push(node);
  });
  await retry(ana, [id]);
  await delivered(ana, id);
  end();
  expect(getBinaryNodeChild(again[0], 'meta')?.attrs).toEqual(meta);
});

test('in a group a stranger gets nothing', async () => {
  const id = await send(group, { jid: group, lid: null }, 'for us');
  const before = credentials.commits.length;
  await retry(stranger, [id], { to: group, attrs: { participant: device } });
  await sandbox.waitForAcknowledged(device);
  // The server would not pass it on; it is not even encrypted for them.
  expect(credentials.commits.slice(before).flatMap(({ keys }) => keys)).not.toContain('session');
  await caughtUp(stranger);
  expect(received(stranger, id)).toBe(0);
});
