import type { Answer } from '../api.ts';
import { scene } from '../printer.ts';
import { sha256, voiceNote } from '../samples.ts';
import type { Stage } from '../stage.ts';
import { check } from '../surprise.ts';

/** A text is delivered and read, a voice note is played, and in a group the first one counts. */
export async function deliveryStatus(stage: Stage): Promise<void> {
  const { carla, shop, shopApi } = stage;

  scene("Carla's phone is switched off");
  await carla.goOffline();
  const sent = await shopApi.post('/send/text', {
    number: carla.number,
    text: 'Yes, one left. Shall I keep it?',
  });
  const id: string = sent.body.message_id;
  stage.facts.textId = id;
  const pending = await shopApi.get(`/messages/${id}/status`);
  check('taken by WhatsApp, not delivered', pending.body.status, 'pending');
  scene('Carla is back');
  await carla.goOnline();
  await becomes(stage, id, 'delivered');
  const got = await carla.waitForMessage((message) => message.id === id);
  check('Carla sees the text', got.text, 'Yes, one left. Shall I keep it?');
  await carla.markRead(shop.jid, [id]);
  await becomes(stage, id, 'read');

  const voice = voiceNote();
  const spoken = await shopApi.post('/send/audio', {
    number: carla.number,
    audio: voice.bytes.toString('base64'),
    ptt: true,
  });
  stage.facts.voiceId = spoken.body.message_id;
  const heard = await carla.waitForMessage((message) => message.id === stage.facts.voiceId);
  const file = await carla.downloadMedia(heard);
  check('Carla got the exact voice note', sha256(file), sha256(voice.bytes));
  await carla.markPlayed(shop.jid, [stage.facts.voiceId]);
  await becomes(stage, stage.facts.voiceId, 'played');

  await inAGroup(stage);
}

async function inAGroup(stage: Stage): Promise<void> {
  const { carla, davi, shop, shopApi } = stage;
  const group = await shop.createGroup('Sunday market', [carla, davi]);
  scene("the shop opens a group with Carla and Davi; Davi's phone is off");
  await davi.goOffline();
  const sent = await shopApi.post('/send/text', { number: group.jid, text: 'We open at eight.' });
  const id: string = sent.body.message_id;
  const first = await becomes(stage, id, 'delivered');
  check('a group message', first.body.is_group, true);
  await davi.goOnline();
  await davi.waitForMessage((message) => message.id === id);
  const receipts = await shopApi.poll(
    `/messages/${id}/receipts`,
    "both phones' receipts are stored",
    (got) => got.body.receipts.length === 2,
  );
  const kinds = receipts.body.receipts.map((receipt: { kind: string }) => receipt.kind);
  check('one receipt of each', kinds, ['delivered', 'delivered']);
  const later = await shopApi.get(`/messages/${id}/status`);
  check('delivered_at is still that of the first', later.body.delivered_at, first.body.delivered_at);
}

async function becomes(stage: Stage, id: string, status: string): Promise<Answer> {
  const got = await stage.shopApi.poll(
    `/messages/${id}/status`,
    `${id} is ${status}`,
    (each) => each.body.status === status,
  );
  check(`${status}, with its time`, typeof got.body[`${status}_at`], 'string');
  return got;
}
