/** Half emojis and U+0000: neither is stored, sent or told. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LinkedShop } from '../../bad-input/linked-shop.ts';
import { until, untilReceived } from '../harness.ts';

let linked: LinkedShop;
beforeAll(async () => {
  linked = await LinkedShop.create();
});
afterAll(() => linked?.world.destroy());

test('half an emoji goes out as the character for what cannot be read', async () => {
  const { api, contact } = linked;
  // Escaped: JSON is the one way in for it.
  const body = `{"number":"${contact.number}","text":"half \\ud83d an emoji"}`;
  const answer = await api.call('POST', '/send/text', body);
  expect(answer.status, answer.bytes.toString()).toBe(200);
  const got = await contact.waitForMessage(({ id }) => id === answer.body.message_id);
  expect(got.text).toBe('half \ufffd an emoji');
  const stored = await api.get(`/messages/${answer.body.message_id}`);
  expect(stored.bytes.toString().isWellFormed()).toBe(true);
  expect(stored.bytes.toString()).not.toContain('\\ud83d');
});

test('what strangers write is stored and told clean', async () => {
  const { api, contact, shop } = linked;
  const { id } = await contact.sendText(shop.number, 'a\0b \ud83d c');
  await untilReceived(api, id);
  const { events } = (await api.get('/events?event=message.received&limit=200')).body;
  const told = JSON.stringify(
    events.filter((each: { data: { message_id: string } }) => each.data.message_id === id),
  );
  const stored = (await api.get(`/messages/${id}`)).bytes.toString();
  for (const text of [told, stored]) {
    expect(text).toContain('ab ');
    expect(text).not.toMatch(/\\u0000|\\ud83d|\0/i);
  }
});

const DIRTY = 'a\0b \ud83d c';

test('names and texts of groups, people, labels and channels are stored, told and answered clean', async () => {
  const { api, contact, shop } = linked;
  const group = await contact.createGroup(DIRTY, [shop]);
  await contact.setGroupDescription(group, DIRTY);
  await contact.setAbout(DIRTY);
  await contact.becomeBusiness({ name: DIRTY, description: DIRTY, address: DIRTY });
  contact.hostile.setPushName('x\0y');
  await shop.account.saveContact(contact, DIRTY, DIRTY);
  await shop.account.editLabel({ id: '7', name: DIRTY, color: 1 });
  const later = await contact.createGroup('Later', [shop]);
  await contact.setGroupSubject(later, DIRTY);
  const { id } = await contact.sendText(group.jid, 'and on');
  await untilReceived(api, id);
  await until('the label is here', async () => (await api.get('/labels')).body.labels?.length > 0);
  const answers = await Promise.all(
    [
      ...[
        '/groups?refresh=true',
        `/groups/${group.jid}?refresh=true`,
        `/groups/${later.jid}`,
        '/chats',
        '/labels',
      ],
      ...['/contacts', `/contacts/${contact.number}`, `/contacts/profile?number=${contact.number}`],
      ...[
        `/business/profile?number=${contact.number}`,
        `/chats/${group.jid}`,
        '/messages',
        '/events?limit=1000',
      ],
    ].map((path) => api.get(path)),
  );
  const told = answers.map(({ bytes }) => bytes.toString());
  for (const text of told) expect(text).not.toMatch(/\\u0000|\\ud83d|\0/i);
  expect(told.filter((text) => text.includes('ab ')).length).toBeGreaterThan(5);
});
