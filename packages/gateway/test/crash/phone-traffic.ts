/** A steady stream of what people write: texts, files, edits and reactions, chat by chat in order. */
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Phone } from '@wuts/sandbox';
import sharp from 'sharp';
import { Chance } from './chance.ts';
import type { SentByPhone, SentKind } from './network-protocol.ts';

export interface Writer {
  phone: Phone;
  to: string;
  own: boolean;
}

export interface Chat {
  key: string;
  account: string;
  /** The first one writes most. */
  writers: Writer[];
}

type Sent = Omit<SentByPhone, 'receipts'>;

const KINDS: Readonly<Record<SentKind, number>> = { text: 62, image: 7, document: 5, edit: 14, reaction: 12 };
/** Now and then somebody writes several messages at once, which is when the archive lags most. */
const BURST = { probability: 0.15, least: 4, most: 10 };

export class PhoneTraffic {
  readonly sent: Sent[] = [];
  readonly problems: string[] = [];
  readonly #picture: Buffer;
  readonly #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  #count = 0;

  private constructor(picture: Buffer) {
    this.#picture = picture;
  }

  /** `perSecond`: messages of all chats together. */
  static async start(
    chats: readonly Chat[],
    options: { seed: number; perSecond: number },
  ): Promise<PhoneTraffic> {
    const colour = { r: 40, g: 90, b: 160 };
    const picture = await sharp({ create: { width: 48, height: 48, channels: 3, background: colour } })
      .jpeg()
      .toBuffer();
    const traffic = new PhoneTraffic(picture);
    const chance = new Chance(options.seed);
    const everyMs = (1000 * chats.length) / options.perSecond;
    traffic.#running = Promise.all(chats.map((chat) => traffic.#write(chat, chance.fork(), everyMs)));
    return traffic;
  }

  /** Resolves when the last message is with the network. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #write(chat: Chat, chance: Chance, everyMs: number): Promise<void> {
    const { signal } = this.#stop;
    const mean = 1 + BURST.probability * ((BURST.least + BURST.most) / 2 - 1);
    while (!signal.aborted) {
      await pause(chance.between(0, 2 * everyMs * mean), undefined, { signal }).catch(() => undefined);
      const count = chance.hits(BURST.probability) ? chance.integer(BURST.least, BURST.most) : 1;
      for (let n = 0; n < count && !signal.aborted; n += 1) await this.#act(chat, chance);
    }
  }

  async #act(chat: Chat, chance: Chance): Promise<void> {
    const writer = chance.hits(0.8) ? chat.writers[0] : chance.pick(chat.writers);
    if (!writer) return;
    const earlier = this.sent.findLast(
      (sent) => sent.chat === chat.key && sent.kind === 'text' && sent.writer === writer.phone.number,
    );
    const wanted = chance.weighted(KINDS);
    const kind = earlier || (wanted !== 'edit' && wanted !== 'reaction') ? wanted : 'text';
    this.#count += 1;
    const text = `${kind} ${this.#count} in ${chat.key}`;
    try {
      const { id, file } = await this.#send(kind, writer, { text, earlier: earlier?.id ?? '', chance });
      const sha256 = file ? createHash('sha256').update(file).digest('hex') : null;
      const { account, key } = chat;
      const { own } = writer;
      this.sent.push({ id, account, chat: key, kind, writer: writer.phone.number, own, text, sha256 });
    } catch (error) {
      this.problems.push(`${writer.phone.number} could not send "${text}": ${(error as Error).message}`);
    }
  }

  async #send(
    kind: SentKind,
    { phone, to }: Writer,
    what: { text: string; earlier: string; chance: Chance },
  ): Promise<{ id: string; file?: Buffer }> {
    const { text, earlier, chance } = what;
    const noise = () => chance.bytes(chance.integer(500, 20_000));
    switch (kind) {
      case 'text':
        return phone.sendText(to, text);
      case 'edit':
        return phone.sendEdit(to, earlier, text);
      case 'reaction':
        return phone.sendReaction(to, earlier, chance.pick(['👍', '🎉', '😮']));
      case 'image': {
        // What follows the end of a JPEG is ignored, and makes each file another one.
        const file = Buffer.concat([this.#picture, noise()]);
        const { id } = await phone.sendImage(to, { bytes: file, caption: text });
        return { id, file };
      }
      case 'document': {
        const file = noise();
        const { id } = await phone.sendDocument(to, { bytes: file, fileName: `${text}.bin`, caption: text });
        return { id, file };
      }
    }
  }
}
