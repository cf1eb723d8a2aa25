import { scene } from '../printer.ts';
import { invoice, picture, type Sample, sha256, sticker, video, voiceNote } from '../samples.ts';
import type { Stage } from '../stage.ts';
import { check, until } from '../surprise.ts';

/** Carla sends a text and five files; each file comes back exactly, without asking the CDN again. */
export async function incomingMedia(stage: Stage): Promise<void> {
  const { carla, shop, sandbox, shopApi } = stage;

  scene('Carla: "Good morning, is the blue one still there?"');
  const text = await carla.sendText(shop.number, 'Good morning, is the blue one still there?');
  const stored = await shopApi.poll(
    `/messages/${text.id}/media`,
    'the text is stored',
    (got) => got.body?.error_code === 'MEDIA_NOT_FOUND',
  );
  check('the text is stored, and a text carries no media', stored.status, 404);

  for (const { sample, send } of await files(stage)) {
    sandbox.cdn.clearLog();
    const { id } = await send();
    scene(`Carla sends: ${sample.name}, ${sample.bytes.length} bytes; the gateway fetches it on arrival`);
    const directPath = await until(`the ${sample.name} is pre-fetched`, () => stage.cdnDownloads()[0]);
    stage.facts.received.push({ id, sample, directPath });
  }

  sandbox.cdn.clearLog();
  for (const { id, sample } of stage.facts.received) {
    const got = await shopApi.get(`/messages/${id}/media`);
    check(`the ${sample.name}'s exact bytes (SHA-256)`, sha256(got.bytes), sha256(sample.bytes));
    check(`…as ${sample.mimeType}`, got.headers.get('content-type'), sample.mimeType);
  }
  check('all from the warm cache: the CDN saw no request', stage.cdnDownloads(), []);
}

interface Sending {
  sample: Sample;
  send(): Promise<{ id: string }>;
}

async function files({ carla, shop }: Stage): Promise<Sending[]> {
  const to = shop.number;
  const [image, film, voice, paper, label] = [
    await picture(),
    video(),
    voiceNote(),
    invoice(),
    await sticker(),
  ];
  const { mimeType } = image;
  return [
    { sample: image, send: () => carla.sendImage(to, { bytes: image.bytes, mimeType, caption: 'this one' }) },
    { sample: film, send: () => carla.sendVideo(to, { bytes: film.bytes }) },
    { sample: voice, send: () => carla.sendVoice(to, { bytes: voice.bytes }) },
    {
      sample: paper,
      send: () =>
        carla.sendDocument(to, { bytes: paper.bytes, mimeType: paper.mimeType, fileName: 'invoice.pdf' }),
    },
    { sample: label, send: () => carla.sendSticker(to, { bytes: label.bytes }) },
  ];
}
