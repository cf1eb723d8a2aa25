/**
 * The process in which pictures of strangers are decoded: a few of these run beside the gateway and take one
 * task at a time. libvips works in libuv's pool, which also puts the database's log on the disk; a decoder
 * that hangs, takes a gigabyte or falls does it here, and the gateway ends the process.
 */
import { setPriority } from 'node:os';
import sharp, { type Metadata, type Sharp } from 'sharp';
import type { PictureFacts, PictureReply, PictureResult, PictureTask } from './picture-tasks.ts';
import type { FromHelper } from './process-pool.ts';

/** Formats that WhatsApp shows. SVG and others are left out: a picture must not be a program or a document. */
const LOADERS = ['Jpeg', 'Png', 'Webp', 'Nsgif'];
const FORMATS: readonly string[] = ['jpeg', 'png', 'webp', 'gif'] satisfies PictureFacts['format'][];

const MEGAPIXEL = 1_000_000;
/**
 * The largest phone cameras make 200 megapixels, as baseline JPEG, which is read line by line and shrunk
 * while it is decoded. Other pictures may have to be held whole: four bytes a pixel, eight for 16-bit PNG.
 */
const MOST_LINEWISE = 210 * MEGAPIXEL;
const MOST_WHOLE = 50 * MEGAPIXEL;
/** All frames of an animation together; each is held. */
const MOST_ANIMATED = 100 * MEGAPIXEL;
/** Ten seconds (as long as official clients let a sticker be) of thirty frames. */
const MOST_FRAMES = 300;

/** What the apps' own stickers measure, in pixels. */
const STICKER_SIDE = 512;
/** From good to bearable; the first that is small enough is taken. */
const QUALITIES = [80, 60, 40, 20] as const;

/** `message` completes "the picture …". */
class Unusable extends Error {}

sharp.concurrency(1);
sharp.cache(false);
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: LOADERS.map((each) => `VipsForeignLoad${each}`) });
// Requests that wait for an answer of the API come first.
setPriority(10);

process.on('message', (task: PictureTask) => {
  work(task).then(
    (result) => answer({ result }),
    (error: unknown) =>
      answer({ problem: error instanceof Unusable ? error.message : 'is a damaged picture' }),
  );
});
// The gateway is gone, however it ended, or nobody waits any more. `exit` would wait for the decoder in the pool.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

function answer(reply: PictureReply): void {
  const message: FromHelper<PictureReply> = { reply };
  process.send?.(message);
}

async function work(task: PictureTask): Promise<PictureResult> {
  const metadata = await sharp(task.path, { limitInputPixels: false })
    .metadata()
    .catch((cause: unknown) => {
      throw new Unusable('is not a picture', { cause });
    });
  assertBounded(metadata);
  const facts = factsOf(metadata);
  switch (task.kind) {
    case 'facts':
      return { facts, bytes: new Uint8Array() };
    case 'preview':
      return { facts, bytes: await preview(task.path, task.side) };
    case 'square':
      return { facts, bytes: await square(task.path, facts, task.side) };
    case 'sticker':
      return sticker(task.path, facts, metadata, task.maxBytes);
  }
}

function load(path: string, animated = false): Sharp {
  const limitInputPixels = animated ? MOST_ANIMATED : MOST_LINEWISE;
  return sharp(path, { animated, limitInputPixels, sequentialRead: true });
}

function assertBounded({ format, width, height, pageHeight, isProgressive }: Metadata): void {
  if (!FORMATS.includes(format)) throw new Unusable(`must be JPEG, PNG, WebP or GIF, not ${format}`);
  const most = format === 'jpeg' && !isProgressive ? MOST_LINEWISE : MOST_WHOLE;
  if (width * (pageHeight ?? height) > most) {
    throw new Unusable(`has more than ${most / MEGAPIXEL} megapixels`);
  }
}

function factsOf({ format, autoOrient, pages }: Metadata): PictureFacts {
  return {
    format: format as PictureFacts['format'],
    mimeType: `image/${format}`,
    width: autoOrient.width,
    height: autoOrient.height,
    animated: (pages ?? 1) > 1,
  };
}

async function preview(path: string, side: number): Promise<Uint8Array> {
  return load(path)
    .autoOrient()
    .resize(side, side, { fit: 'inside', withoutEnlargement: true })
    .flatten({ background: '#ffffff' })
    .jpeg({ quality: 60 })
    .toBuffer();
}

async function square(path: string, { width, height }: PictureFacts, side: number): Promise<Uint8Array> {
  const pixels = Math.min(side, width, height);
  return load(path)
    .autoOrient()
    .resize(pixels, pixels, { fit: 'cover' })
    .flatten({ background: '#ffffff' })
    .jpeg({ quality: 80 })
    .toBuffer();
}

async function sticker(
  path: string,
  { animated }: PictureFacts,
  { width, height, pageHeight, pages = 1 }: Metadata,
  maxBytes: number,
): Promise<PictureResult> {
  if (pages > MOST_FRAMES) throw new Unusable(`has more than ${MOST_FRAMES} frames`);
  if (width * (pageHeight ?? height) * pages > MOST_ANIMATED) {
    throw new Unusable(`has more than ${MOST_ANIMATED / MEGAPIXEL} megapixels in all its frames`);
  }
  const background = { r: 0, g: 0, b: 0, alpha: 0 };
  for (const quality of QUALITIES) {
    const bytes = await load(path, true)
      .autoOrient()
      .resize(STICKER_SIDE, STICKER_SIDE, { fit: 'contain', background })
      .webp({ quality, effort: animated ? 2 : 4 })
      .toBuffer();
    if (bytes.length > maxBytes) continue;
    const side = STICKER_SIDE;
    return {
      facts: { format: 'webp', mimeType: 'image/webp', width: side, height: side, animated },
      bytes,
    };
  }
  throw new Unusable(`is larger than ${maxBytes} bytes even as a small sticker: use fewer pictures`);
}
