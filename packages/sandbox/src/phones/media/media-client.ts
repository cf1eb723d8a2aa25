import { createHash } from 'node:crypto';
import { request } from 'node:https';
import { getBinaryNodeChild, getBinaryNodeChildren } from 'baileys';
import type { PhoneConnection } from '../connection.ts';
import type { MediaContent, MediaType } from '../message-content.ts';
import { type BlobType, decryptMedia } from './media-crypto.ts';

export interface UploadedMedia {
  readonly url: string;
  readonly directPath: string;
}

/** Where types go that have no folder of their own name (Baileys MEDIA_PATH_MAP). */
const UPLOAD_FOLDERS: Partial<Record<BlobType, string>> = { sticker: 'image', 'md-msg-hist': 'md-app-state' };

interface MediaConnection {
  readonly auth: string;
  readonly hostnames: readonly string[];
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** A phone's way to the CDN: `media_conn`, upload, download, over TLS like any client. */
export class MediaClient {
  readonly #connection: PhoneConnection;
  readonly #caPem: string;
  #current: MediaConnection | undefined;

  constructor(connection: PhoneConnection, caPem: string) {
    this.#connection = connection;
    this.#caPem = caPem;
  }

  /** Uploads a ciphertext; rejects when the CDN refuses it. */
  async upload(type: BlobType, ciphertext: Buffer, fileEncSha256: Buffer): Promise<UploadedMedia> {
    const { auth } = await this.#hosts();
    const token = fileEncSha256.toString('base64url');
    const path = `/mms/${UPLOAD_FOLDERS[type] ?? type}/${token}?auth=${encodeURIComponent(auth)}&token=${token}`;
    const answer = await this.#call('POST', path, ciphertext);
    if (answer.status !== 200) throw new Error(`the CDN answered the upload with ${answer.status}`);
    const body = JSON.parse(answer.body.toString('utf8')) as { url: string; direct_path: string };
    return { url: body.url, directPath: body.direct_path };
  }

  /** Downloads and verifies the file of a message; rejects with the CDN's status or the failed check. */
  async download(type: MediaType, content: MediaContent): Promise<Buffer> {
    const { mediaKey, directPath, fileSha256, fileEncSha256 } = content;
    if (!directPath) throw new Error('the message names no media');
    const hash = fileEncSha256 ? Buffer.from(fileEncSha256).toString('base64url') : '';
    const bytes = await this.fetch(type, directPath, hash);
    if (!mediaKey?.length) return plainMedia(bytes, fileSha256);
    return decryptMedia(bytes, type, {
      mediaKey,
      ...(fileSha256 ? { fileSha256 } : {}),
      ...(fileEncSha256 ? { fileEncSha256 } : {}),
    });
  }

  /** Downloads a ciphertext; rejects with the CDN's status. */
  async fetch(type: BlobType, directPath: string, hash = ''): Promise<Buffer> {
    const separator = directPath.includes('?') ? '&' : '?';
    const path = `${directPath}${separator}hash=${hash}&mms-type=${type}&__wa-mms=`;
    const answer = await this.#call('GET', path);
    if (answer.status !== 200) throw new Error(`the CDN answered the download with ${answer.status}`);
    return answer.body;
  }

  async #hosts(): Promise<MediaConnection> {
    if (this.#current && this.#current.expiresAt > Date.now()) return this.#current;
    const answer = await this.#connection.query({
      tag: 'iq',
      attrs: { to: '@s.whatsapp.net', type: 'set', xmlns: 'w:m' },
      content: [{ tag: 'media_conn', attrs: {} }],
    });
    const node = getBinaryNodeChild(answer, 'media_conn');
    const hostnames = getBinaryNodeChildren(node, 'host').map((host) => host.attrs.hostname ?? '');
    this.#current = {
      auth: node?.attrs.auth ?? '',
      hostnames,
      expiresAt: Date.now() + Number(node?.attrs.ttl ?? 0) * 1000,
    };
    return this.#current;
  }

  async #call(method: string, path: string, body?: Buffer): Promise<{ status: number; body: Buffer }> {
    const { hostnames } = await this.#hosts();
    const [hostname] = hostnames;
    if (hostname === undefined) throw new Error('media_conn named no host');
    return new Promise((resolve, reject) => {
      const outgoing = request(
        `https://${hostname}${path}`,
        { method, ca: this.#caPem, agent: false, headers: body ? { 'content-length': body.length } : {} },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }),
          );
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }
}

/** Of a post in a channel: not encrypted, and vouched for by its hash alone. */
function plainMedia(bytes: Buffer, fileSha256: Uint8Array | null | undefined): Buffer {
  const hash = createHash('sha256').update(bytes).digest();
  if (!fileSha256 || !hash.equals(fileSha256)) throw new Error('the file is not the one that was announced');
  return bytes;
}
