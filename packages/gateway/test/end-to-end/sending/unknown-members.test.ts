import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Api, type Json, World } from '../harness.ts';
import { oggOpus } from '../samples.ts';

let world: World;
let api: Api;
let contact: Phone;
let token: string;

beforeAll(async () => {
  world = await World.create({ settings: { WUTS_PACE_PER_MINUTE: '0' } });
  token = await world.tenant('speller');
  const shop = await world.sandbox.createPhone({ number: '5511999991601', name: 'Shop' });
  contact = await world.sandbox.createPhone({ number: '5511999991602', name: 'Contact' });
  await world.linkByQr(token, shop);
  api = world.as(token);
});
afterAll(() => world?.destroy());

const IN_A_MONTH = new Date(Date.now() + 30 * 24 * 3600_000).toISOString();

test('sendAt schedules', async () => {
  const answer = await api.post('/send/text', { number: contact.number, text: 'later', sendAt: IN_A_MONTH });
  expect(answer.status).toBe(202);
  expect(answer.body).toMatchObject({ status: 'scheduled', send_at: IN_A_MONTH });
  expect(answer.body).not.toHaveProperty('warnings');
});

test('a misspelt member is named in the answer, and the rest is done', async () => {
  const quoted = { key: { id: '3EB0F8A1B2C3D4E5F6', from_me: true, remoteJid: contact.jid } };
  const answer = await api.post('/send/text', { number: contact.number, text: 'now', send_att: 'x', quoted });
  expect(answer.status).toBe(200);
  expect(answer.body.warnings).toEqual([
    { field: 'send_att', message: 'is not known here and was ignored', did_you_mean: 'send_at' },
    { field: 'quoted.key.remoteJid', message: 'is not known here and was ignored' },
  ]);
});

test('the id of a reaction is read in either way of writing it', async () => {
  const { id } = await contact.sendText('5511999991601', 'hello');
  const reaction = { number: contact.number, message_id: id, reaction: '👍' };
  const answer = await api.post('/send/reaction', reaction);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  expect(answer.body.metadata.original_message_id).toBe(id);
  expect((await api.post('/send/reaction', { ...reaction, messageId: 'ANOTHER0' })).status).toBe(400);
});

test('messages of a bulk are read as those that come alone', async () => {
  const messages = [
    { type: 'text', number: contact.number, text: 'a', typingDuration: 1, colour: 'red' },
    { type: 'text', Number: contact.number, TEXT: 'b', delay: 90 },
  ];
  const answer = await api.post('/bulk', { messages, sendAt: IN_A_MONTH });
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  expect(answer.body.warnings).toEqual([
    { field: 'messages.0.colour', message: 'is not known here and was ignored' },
    { field: 'messages.1.delay', message: 'was cut: at most 60 seconds are waited' },
  ]);
  const early = await api.post('/bulk', { messages: [{ ...messages[0], sendAt: IN_A_MONTH }] });
  expect([early.status, early.body.validation?.[0]?.field]).toEqual([400, 'messages.0.send_at']);
});

test('what cannot be done as asked is named in the answer', async () => {
  const audio = oggOpus(100).toString('base64');
  const sound = await api.post('/send/audio', {
    number: contact.number,
    audio,
    ptt: true,
    caption: 'listen',
  });
  expect(sound.status, JSON.stringify(sound.body)).toBe(200);
  expect(sound.body.warnings).toEqual([
    { field: 'caption', message: 'was not sent: WhatsApp has no captions of audio' },
  ]);
  const slow = { number: contact.number, text: 'x', delay: 61, typingDuration: 45, send_at: IN_A_MONTH };
  expect((await api.post('/send/text', slow)).body.warnings).toEqual([
    { field: 'delay', message: 'was cut: at most 60 seconds are waited' },
    { field: 'typingDuration', message: 'was cut: at most 30 seconds are shown here' },
  ]);
});

test('parts of a multipart request are read so too', async () => {
  const form = new FormData();
  form.set('NUMBER', contact.number);
  form.set('viewOnce', 'true');
  form.set('file_nam', 'x');
  form.set('audio', new Blob([oggOpus(100)]), 'note.ogg');
  const answer = await fetch(`${world.gateway.url}/send/audio`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: form,
  });
  const body = (await answer.json()) as Json;
  expect(answer.status, JSON.stringify(body)).toBe(200);
  expect(body.metadata.view_once_enabled).toBe(true);
  expect(body.warnings).toEqual([{ field: 'file_nam', message: 'is not known here and was ignored' }]);
});
