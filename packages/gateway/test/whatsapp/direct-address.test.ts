/** By which name a person is written to: the server takes some by LID alone, and some accounts' messages by number alone. */
import { createHmac, randomBytes } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { type Phone, type Sandbox, startSandbox } from '@wuts/sandbox';
import { type BinaryNode, proto } from 'baileys';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { encodeStoredValue } from '../../src/whatsapp/baileys/connection/stored-values.ts';
import { type Linked, linkSession, sessionsOn } from './linked-session.ts';

let sandbox: Sandbox;
let shop: Linked;
let contact: Phone;
const written: BinaryNode[] = [];

beforeAll(async () => {
  sandbox = await startSandbox();
  const factory = sessionsOn(sandbox);
  shop = await linkSession(sandbox, factory, '5511988840001');
  contact = await sandbox.createPhone({ number: '5511988840002', name: 'Ana' });
  sandbox.network.onStanza((node, { user, device }) => {
    if (node.tag === 'message' && user === shop.phone.number && device !== 0) written.push(node);
  });
});
afterEach(() => sandbox.faults.clear());
afterAll(async () => {
  await shop.session.stop();
  await sandbox.stop();
});

/** Sends a text; resolves with the names in the stanzas that it took, once it has arrived at both phones. */
async function names(to: Phone, name = to.jid) {
  const id = shop.session.messages.newId();
  await shop.session.messages.send({ to: name, id, message: { conversation: 'hello' } });
  await to.waitForMessage((each) => each.id === id);
  const copy = await shop.phone.waitForMessage((each) => each.id === id);
  expect(copy.chat).toBe(to.jid);
  return written
    .filter(({ attrs }) => attrs.id === id)
    .map(({ attrs, content }) => {
      const [participants] = Array.isArray(content)
        ? content.filter(({ tag }) => tag === 'participants')
        : [];
      const devices = Array.isArray(participants?.content) ? participants.content : [];
      const servers = new Set(devices.map((each) => each.attrs.jid?.split('@')[1]));
      return { to: attrs.to, number: attrs.peer_recipient_pn, servers: [...servers] };
    });
}

const byLid = (to: Phone) => ({ to: to.lid, number: to.jid, servers: ['lid'] });
const byNumber = (to: Phone) => ({ to: to.jid, number: undefined, servers: ['s.whatsapp.net'] });

test('whoever has a LID is written to by it, with the number beside it, whichever was given', async () => {
  expect(await names(contact)).toEqual([byLid(contact)]);
  expect(await names(contact, contact.lid)).toEqual([byLid(contact)]);
});

test('that somebody writes is shown in the same chat', async () => {
  const told: BinaryNode[] = [];
  const end = sandbox.network.onStanza((node) => {
    if (node.tag === 'chatstate') told.push(node);
  });
  await shop.session.presence.sendChatState(contact.jid, 'composing');
  await expect.poll(() => told.map(({ attrs }) => attrs.to)).toEqual([contact.lid]);
  end();
});

/** What a message shows the server of the account's secret, in each stanza that it took. */
async function proofs(to: Phone): Promise<(string | undefined)[]> {
  const before = written.length;
  await names(to);
  return written.slice(before).map(({ content }) => {
    const [proof] = Array.isArray(content) ? content.filter(({ tag }) => tag === 'cstoken') : [];
    return proof?.content instanceof Uint8Array ? Buffer.from(proof.content).toString('hex') : undefined;
  });
}

const proofOf = (secret: Uint8Array, phone: Phone) =>
  createHmac('sha256', secret).update(phone.lid).digest('hex');

test('a first message proves that it is from the account, once the phone has told its secret', async () => {
  const [one, old] = [
    await sandbox.createPhone({ number: '5511988840007', name: 'One' }),
    await sandbox.createPhone({ number: '5511988840008', name: 'Old', lid: null }),
  ];
  expect(await proofs(one)).toEqual([undefined]);
  const secret = randomBytes(32);
  const syncType = proto.Message.HistorySyncType.RECENT;
  const history = proto.HistorySync.encode({ syncType: proto.HistorySync.HistorySyncType.RECENT }).finish();
  // HistorySync.nctSalt, which the library's schema does not have.
  const bytes = deflateSync(Buffer.concat([history, Buffer.from([0x9a, 0x01, secret.length]), secret]));
  await shop.phone.hostile.history(shop.phone.companions[0] ?? 1, { bytes, syncType });
  await shop.recorder.next('history', ({ batch }) => batch.kind === 'recent');
  expect(await proofs(one)).toEqual([proofOf(secret, one)]);
  expect(await proofs(old)).toEqual([undefined]);
});

test('the secret is that which the state of the account says last', async () => {
  const one = await sandbox.createPhone({ number: '5511988840009', name: 'Ana' });
  const { account } = shop.phone;
  for (const secret of [randomBytes(32), randomBytes(32)]) {
    await account.setContactSecret(secret);
    await expect.poll(() => proofs(one)).toEqual([proofOf(secret, one)]);
  }
  await account.setContactSecret(null);
  await expect.poll(() => proofs(one)).toEqual([undefined]);
});

test('whoever has none is written to by number', async () => {
  const old = await sandbox.createPhone({ number: '5511988840003', name: 'Eva', lid: null });
  expect(await names(old)).toEqual([byNumber(old)]);
});

test('who is reached by LID alone is reached', async () => {
  const moved = await sandbox.createPhone({ number: '5511988840004', name: 'Ida' });
  sandbox.faults.moveToLid(moved.number);
  expect(await names(moved)).toEqual([byLid(moved)]);
});

test('a LID that is not theirs any more is found out anew when the server says so', async () => {
  const renamed = await sandbox.createPhone({ number: '5511988840006', name: 'Lia' });
  const stale = '199999999999999';
  const held = { [renamed.number]: stale, [`${stale}_reverse`]: renamed.number };
  const changes = Object.entries(held).map(([id, value]) => ({ id, value: encodeStoredValue(value) }));
  await shop.credentials.write(changes.map((change) => ({ type: 'lid-mapping', ...change })));
  const first = shop.session.messages.newId();
  const message = { conversation: 'hello' };
  const refused = shop.session.messages.send({ to: renamed.jid, id: first, message });
  await expect(refused).rejects.toMatchObject({ whatsappCode: 404 });
  expect(written.find(({ attrs }) => attrs.id === first)?.attrs.to).toBe(`${stale}@lid`);
  await expect
    .poll(async () => (await shop.session.contacts.namesOf([renamed.jid]))[0]?.lid)
    .toBe(renamed.lid);
  expect(await names(renamed)).toEqual([byLid(renamed)]);
});

test('an account that writes to numbers alone does so after one refusal', async () => {
  sandbox.faults.keepOnNumbers(shop.phone.number);
  expect(await names(contact)).toEqual([byLid(contact), byNumber(contact)]);
  expect(await names(contact)).toEqual([byNumber(contact)]);
  expect(await names(contact, contact.lid)).toEqual([byNumber(contact)]);
});

test('what is refused under both names is refused, and says nothing of the address', async () => {
  const other = await linkSession(sandbox, sessionsOn(sandbox), '5511988840005');
  for (let times = 0; times < 2; times += 1) sandbox.faults.nextAckError(400, { number: other.phone.number });
  const send = () =>
    other.session.messages.send({
      to: contact.jid,
      id: other.session.messages.newId(),
      message: { conversation: 'no' },
    });
  await expect(send()).rejects.toMatchObject({ whatsappCode: 400 });
  const seen: BinaryNode[] = [];
  const end = sandbox.network.onStanza((node, { user, device }) => {
    if (node.tag === 'message' && user === other.phone.number && device !== 0) seen.push(node);
  });
  await send();
  end();
  expect(seen.map(({ attrs }) => attrs.to)).toEqual([contact.lid]);
  await other.session.stop();
});
