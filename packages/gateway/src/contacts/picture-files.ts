/** The bytes of profile pictures, fetched from WhatsApp's hosts and kept for a while. */
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type Clock, timeLimit } from '../clock.ts';
import { AppError } from '../errors.ts';
import { canonicalJid, sameIdentity } from '../identity/jid.ts';
import type { MessageDevice } from '../messages/stored-message.ts';
import type { MediaHttp } from '../net/media-http.ts';
import { namesOf, parseRecipient } from '../sending/recipients.ts';
import type { PictureInfo } from '../whatsapp/port/contacts.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import type { ContactProfiles } from './profiles.ts';

/** WhatsApp makes them of 640 × 640, some 100 kB; far larger ones are none. */
const MOST_BYTES = 4 * 1024 ** 2;
/** Of all tenants together: some hundred large or a few thousand small ones. */
const MOST_KEPT_BYTES = 16 * 1024 ** 2;
/** How long WhatsApp is not asked whether there is another one; a change that it tells of counts at once. */
const FRESH_MS = 5 * 60_000;
const FETCH_MS = 20_000;

export interface PictureFile {
  /** WhatsApp's id of the picture. */
  id: string;
  bytes: Buffer;
  mimeType: string;
  /** Hex SHA-256 of the bytes. */
  sha256: string;
}

interface Kept extends PictureFile {
  target: Identity;
  /** When WhatsApp said that it is the one, by the clock of the process. */
  heard: number;
}

export class PictureFiles {
  readonly #parts: { profiles: ContactProfiles; http: MediaHttp; clock: Clock };
  readonly #kept = new LRUCache<string, Kept>({
    maxSize: MOST_KEPT_BYTES,
    sizeCalculation: ({ bytes }) => bytes.length + 500,
  });
  /** Who asks for the same at once shares one fetch. */
  readonly #underWay = new Map<string, Promise<PictureFile>>();

  constructor(parts: { profiles: ContactProfiles; http: MediaHttp; clock: Clock }) {
    this.#parts = parts;
  }

  /**
   * The picture of a person or group as this account sees it: what others are shown is not shown to it. Throws as
   * `ContactProfiles.picture`, and MEDIA_DOWNLOAD_FAILED.
   */
  async file(device: MessageDevice, name: string, preview: boolean): Promise<PictureFile> {
    const key = keyOf(device, namesOf(parseRecipient(name, 'jid'))[0], preview);
    const kept = this.#kept.get(key);
    if (kept && this.#parts.clock.monotonic() - kept.heard < FRESH_MS) return kept;
    const running = this.#underWay.get(key);
    if (running) return running;
    const fetched = this.#fetch(device, key, name, preview).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, fetched);
    return fetched;
  }

  /** The person, or group, has another picture, or none. */
  changed(device: MessageDevice, contact: Identity): void {
    const prefix = deviceKey(device);
    for (const [key, { target }] of this.#kept.entries()) {
      if (key.startsWith(prefix) && sameIdentity(target, contact)) this.#kept.delete(key);
    }
  }

  async #fetch(device: MessageDevice, key: string, name: string, preview: boolean): Promise<PictureFile> {
    const { profiles, clock } = this.#parts;
    const kept = this.#kept.get(key);
    try {
      const { target, info } = await profiles.picture(
        device,
        { jid: name },
        { preview, existingId: kept?.id },
      );
      const heard = clock.monotonic();
      if (!info && kept) {
        this.#kept.set(key, { ...kept, heard });
        return kept;
      }
      if (!info) throw new AppError('PICTURE_NOT_SET');
      const file = { id: info.id, ...(await this.#download(info)) };
      this.#kept.set(key, { ...file, target, heard });
      return file;
    } catch (error) {
      // A device that is away shows what it has seen; what was taken away is not shown any more.
      const away = error instanceof AppError && error.code === 'DEVICE_NOT_READY';
      if (away && kept) return kept;
      if (error instanceof AppError && error.code.startsWith('PICTURE_')) this.#kept.delete(key);
      throw error;
    }
  }

  /** From the host that WhatsApp's answer names, by the client that asks WhatsApp's media hosts alone. */
  async #download({ url, route }: PictureInfo): Promise<Omit<PictureFile, 'id'>> {
    const limit = timeLimit(FETCH_MS);
    try {
      const { host, pathname, search } = new URL(url);
      const path = `${pathname}${search}`;
      const { status, body } = await this.#parts.http.download({ host, route }, path, 0, limit.signal);
      const bytes = await collected(body, status === 200 ? MOST_BYTES : 0);
      if (status !== 200 || !bytes) throw new Error(status === 200 ? 'it is too large' : `status ${status}`);
      const mimeType = pictureType(bytes);
      if (!mimeType) throw new Error('it is no picture');
      return { bytes, mimeType, sha256: createHash('sha256').update(bytes).digest('hex') };
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : 'unknown reason';
      throw new AppError('MEDIA_DOWNLOAD_FAILED', {
        message: `the picture could not be downloaded from WhatsApp: ${reason}`,
        cause,
      });
    } finally {
      limit.end();
    }
  }
}

/** A device may hold another account later, which is shown other things. */
const deviceKey = (device: MessageDevice): string => `${device.id} ${canonicalJid(device)} `;
const keyOf = (device: MessageDevice, name: Jid, preview: boolean): string =>
  `${deviceKey(device)}${name} ${preview ? 'preview' : 'image'}`;

/** The whole body; null when it is longer. */
async function collected(body: AsyncIterable<Uint8Array> & { destroy(): void }, most: number) {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > most) {
      body.destroy();
      return null;
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** By their first bytes: what is no picture is not served from our origin. */
function pictureType(bytes: Buffer): string | null {
  if (bytes.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff]))) return 'image/jpeg';
  if (bytes.subarray(0, 8).toString('latin1') === '\x89PNG\r\n\x1a\n') return 'image/png';
  const riff = bytes.subarray(0, 4).toString('latin1') === 'RIFF';
  return riff && bytes.subarray(8, 12).toString('latin1') === 'WEBP' ? 'image/webp' : null;
}
