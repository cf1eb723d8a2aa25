import { scene } from '../printer.ts';
import { sha256 } from '../samples.ts';
import type { Received, Stage } from '../stage.ts';
import { check, until } from '../surprise.ts';

/** Cache empty and CDN copy gone: the phone is asked to upload again, and every outcome has its answer. */
export async function expiredMedia(stage: Stage): Promise<void> {
  const { shop, shopApi, sandbox } = stage;
  await stage.emptyMediaCache();
  scene('the cache is emptied again, and WhatsApp has deleted its copies');
  sandbox.cdn.expireAll(404);

  const image = stage.received('image');
  const pending = await shopApi.get(path(image), 202);
  check('202 says: asked for again', pending.body.status, 'retry_requested');
  const arrived = await shopApi.poll(path(image), 'the picture is back', (got) => got.status === 200);
  check('the phone uploaded again: the exact bytes', sha256(arrived.bytes), sha256(image.sample.bytes));

  const video = stage.received('video');
  const waited = await shopApi.get(`${path(video)}?wait=10`);
  check('?wait=10: one call does it', sha256(waited.bytes), sha256(video.sample.bytes));

  const invoice = stage.received('document');
  scene('the phone no longer has the document');
  shop.mediaRetry = 'not_found';
  const gone = await shopApi.get(`${path(invoice)}?wait=10`, 410);
  check('410, by name', gone.body.error_code, 'MEDIA_GONE');

  const voice = stage.received('voice note');
  scene('the phone does not answer');
  shop.mediaRetry = 'silent';
  const requests = () => shop.mediaRetryRequests.filter((each) => each.messageId === voice.id).length;
  await shopApi.get(path(voice), 202);
  await until('the phone was asked', () => requests() === 1);
  await shopApi.get(path(voice), 202);
  check('asked twice by us, the phone was asked once', requests(), 1);
  shop.mediaRetry = 'reupload';

  await corruptedCopy(stage, image);
  await deviceOffline(stage);
}

async function corruptedCopy(stage: Stage, image: Received): Promise<void> {
  const { sandbox, shopApi } = stage;
  const copies = sandbox.cdn.objects().filter((object) => object.fault.status === undefined);
  for (const copy of copies) sandbox.cdn.corrupt(copy.directPath);
  await stage.emptyMediaCache();
  scene("a byte of the CDN's copy is flipped");
  const got = await shopApi.get(`${path(image)}?wait=10`);
  check('never served: a fresh copy came from the phone', sha256(got.bytes), sha256(image.sample.bytes));
}

async function deviceOffline(stage: Stage): Promise<void> {
  const { shopApi } = stage;
  const sticker = stage.received('sticker');
  await shopApi.post('/disconnect');
  const offline = await shopApi.get(path(sticker), 503);
  check('nobody can be asked while the device is offline', offline.body.error_code, 'DEVICE_NOT_READY');
  const back = await shopApi.post('/connect');
  check('back without a new QR', back.body.data.needs_qr, false);
  const got = await shopApi.get(`${path(sticker)}?wait=10`);
  check('and the sticker with it', sha256(got.bytes), sha256(sticker.sample.bytes));
}

const path = (received: Received) => `/messages/${received.id}/media`;
