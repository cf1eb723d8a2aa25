import { scene } from '../printer.ts';
import { picture, sha256 } from '../samples.ts';
import type { Stage } from '../stage.ts';
import { check } from '../surprise.ts';

/** Devices come back by themselves, nothing is forgotten, nothing that arrived meanwhile is lost. */
export async function restart(stage: Stage): Promise<void> {
  const { carla, facts, gateway, shop, shopApi } = stage;
  const image = stage.received('image');

  scene('SIGTERM');
  check('stopped cleanly: exit code 0', await gateway.stop(), 0);
  const late = await picture();
  const sent = await carla.sendImage(shop.number, { bytes: late.bytes, caption: 'are you there?' });
  scene('Carla sends a picture while nobody is home; then the gateway is started again');
  await gateway.start();
  await shopApi.poll('/status', 'the shop is connected again', (got) => got.body.data.connected);
  const kept = await shopApi.get(`/messages/${image.id}/media`);
  check('media still answers', sha256(kept.bytes), sha256(image.sample.bytes));
  const status = await shopApi.get(`/messages/${facts.textId}/status`);
  check('statuses still answer', status.body.status, 'read');
  const meanwhile = await shopApi.poll(
    `/messages/${sent.id}/media`,
    'the picture sent meanwhile is there',
    (got) => got.status === 200,
  );
  check('and the picture sent meanwhile', sha256(meanwhile.bytes), sha256(late.bytes));
  await killed(stage);
}

/** The promise: what the sender sees as delivered is on our disk, whatever happens next. */
async function killed(stage: Stage): Promise<void> {
  const { carla, gateway, shop, shopApi } = stage;
  const last = await picture();
  const sent = await carla.sendImage(shop.number, { bytes: last.bytes, caption: 'and this?' });
  // The shop's own phone sends a receipt too; a companion's address names its device number. A companion
  // whose user is not at the screen says `inactive` (Baileys messages-recv.js, `sendActiveReceipts`).
  await carla.waitForReceipt(({ messageId, type, fromDevice }) => {
    return messageId === sent.id && ['delivered', 'inactive'].includes(type) && fromDevice.includes(':');
  });
  await gateway.kill();
  scene("Carla sends another; the moment the gateway's receipt is there: kill -9, and start again");
  await gateway.start();
  const got = await shopApi.poll(
    `/messages/${sent.id}/media`,
    'the picture survived',
    (each) => each.status === 200,
  );
  check('delivered means durable: it is there', sha256(got.bytes), sha256(last.bytes));
}
