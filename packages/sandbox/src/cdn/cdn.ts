import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type CdnCertificate, issueCdnCertificate } from './certificate.ts';
import { type CdnObject, ObjectShelf, objectPath } from './objects.ts';
import { serveObject } from './serve.ts';

export interface CdnOptions {
  /** 0 (default) lets the system choose. */
  port?: number;
  /** Default: a new one, under a CA of its own. */
  certificate?: CdnCertificate;
  /** The token that `media_conn` hands out now; an upload with another one is refused with 401. */
  authToken: () => string;
}

export interface CdnLogEntry {
  readonly method: string;
  /** Path without the query: no upload token is kept. */
  readonly path: string;
  readonly status: number;
  /** The `Range` header as the client sent it. */
  readonly range?: string;
  /** Body bytes sent (downloads) or received (uploads). */
  readonly bytes: number;
  /** Milliseconds since the epoch, when the exchange ended. */
  readonly at: number;
}

/**
 * The media CDN of the sandbox. Every method takes a direct path with or without its query and throws
 * when nothing is stored there.
 */
export interface Cdn {
  readonly url: string;
  /** `127.0.0.1:PORT`, what `media_conn` names as host. */
  readonly hostname: string;
  /** PEM of the CA to trust. */
  readonly caPem: string;
  /** Every finished or broken exchange, oldest first. */
  readonly log: readonly CdnLogEntry[];
  clearLog(): void;
  object(directPath: string): CdnObject | undefined;
  /** Stores a picture as the server does for profiles and groups: as it is. */
  keepPicture(bytes: Buffer): { url: string; directPath: string };
  /** Stores an encrypted file that the server made; its direct path. */
  keep(mediaType: string, ciphertext: Buffer): string;
  /** Takes the objects of a CDN that has ended. */
  putBack(objects: readonly CdnObject[]): void;
  /** Objects now stored, oldest first. */
  objects(): CdnObject[];
  expire(directPath: string, status?: 403 | 404 | 410): void;
  /** Expires what is stored now; later uploads are fresh. */
  expireAll(status?: 403 | 404 | 410): void;
  corrupt(directPath: string): void;
  truncate(directPath: string, bytes: number): void;
  slow(directPath: string, bytesPerSecond: number): void;
  /** Closes the connection once, after so many body bytes. */
  dropAfter(directPath: string, bytes: number): void;
  /** Takes every fault off the object. */
  restore(directPath: string): void;
  /** Forgets the object: 404 from now on, and it cannot be restored. */
  remove(directPath: string): void;
  /** The next upload is answered with this status and stores nothing. */
  failNextUpload(status: number): void;
  stop(): Promise<void>;
}

/** Larger than any file WhatsApp takes (2 GB) is not needed here; this keeps a test from eating the machine. */
const MAX_UPLOAD_BYTES = 256 * 1024 * 1024;
/** `/mms/<type>/<token>`, `/newsletter/<type>/<token>`, `/product/image/<token>`, `/pps/<type>/<token>` (Baileys MEDIA_PATH_MAP). */
const UPLOAD_PATH = /^\/(?:mms|newsletter|product|pps)\/([a-z-]+)\/([A-Za-z0-9_-]+)={0,2}$/;

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_UPLOAD_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/**
 * Starts the HTTPS CDN on 127.0.0.1 under its own certificate authority.
 *
 * Upload: `POST /mms/{type}/{base64url SHA-256 of the encrypted file}?auth=…&token=…` answers
 * `{url, direct_path, handle}` (whatsmeow upload.go rawUpload, Baileys getWAUploadToServer).
 * Download: `GET {direct_path}`, `Range` honoured (whatsmeow download.go; Baileys messages-media.js).
 */
export async function createCdn(options: CdnOptions): Promise<Cdn> {
  const certificate = options.certificate ?? (await issueCdnCertificate());
  const shelf = new ObjectShelf();
  const log: CdnLogEntry[] = [];
  let uploadFailure: number | undefined;
  let hostname = '';

  const upload = async (request: IncomingMessage, url: URL, response: ServerResponse): Promise<number> => {
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    const body = await readBody(request);
    const [, mediaType, token] = UPLOAD_PATH.exec(url.pathname) ?? [];
    if (mediaType === undefined || token === undefined) {
      answer(404, { error: { message: 'unknown upload path' } });
    } else if (url.searchParams.get('auth') !== options.authToken()) {
      answer(401, { error: { message: 'auth token is missing or not valid' } });
    } else if (uploadFailure !== undefined) {
      answer(uploadFailure, { error: { message: 'upload refused by the test' } });
      uploadFailure = undefined;
    } else if (!body) {
      answer(413, { error: { message: 'file too large' } });
    } else if (createHash('sha256').update(body).digest('base64url') !== token) {
      answer(400, { error: { message: 'the path does not name the SHA-256 of the body' } });
    } else {
      const object = shelf.put(mediaType, body);
      answer(200, {
        url: `https://${hostname}${object.directPath}&mms3=true`,
        direct_path: object.directPath,
        handle: Buffer.from(object.path).toString('base64url'),
      });
    }
    return body?.length ?? 0;
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const method = request.method ?? 'GET';
    const url = new URL(request.url ?? '/', 'https://cdn.invalid');
    const range = request.headers.range;
    let bytes = 0;
    if (method === 'POST' || method === 'PUT') {
      bytes = await upload(request, url, response);
    } else if (method === 'GET' || method === 'HEAD') {
      bytes = await serveObject(shelf.get(url.pathname), method, range, response);
    } else {
      response.writeHead(405, { allow: 'GET, HEAD, POST' }).end();
    }
    const status = response.statusCode;
    log.push({
      method,
      path: objectPath(url.pathname),
      status,
      ...(range === undefined ? {} : { range }),
      bytes,
      at: Date.now(),
    });
  };

  const server = createServer(
    { cert: certificate.certificatePem, key: certificate.privateKeyPem },
    (request, response) => {
      handle(request, response).catch(() => response.destroy());
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  hostname = `127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url: `https://${hostname}`,
    hostname,
    caPem: certificate.caPem,
    log,
    clearLog: () => {
      log.length = 0;
    },
    keep: (mediaType, ciphertext) => shelf.put(mediaType, ciphertext).directPath,
    keepPicture: (bytes) => {
      const { directPath } = shelf.put('picture', bytes);
      return { url: `https://${hostname}${directPath}`, directPath };
    },
    object: (directPath) => shelf.get(directPath),
    objects: () => shelf.all(),
    putBack: (objects) => shelf.putBack(objects),
    ...faultsOf(shelf),
    remove: (directPath) => shelf.remove(directPath),
    failNextUpload: (status) => {
      uploadFailure = status;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type CdnFaults = Pick<
  Cdn,
  'expire' | 'expireAll' | 'corrupt' | 'truncate' | 'slow' | 'dropAfter' | 'restore'
>;

/** What can be wrong with a stored object. */
function faultsOf(shelf: ObjectShelf): CdnFaults {
  return {
    expire: (directPath, status = 404) => {
      shelf.require(directPath).fault.status = status;
    },
    expireAll: (status = 404) => {
      for (const object of shelf.all()) object.fault.status = status;
    },
    corrupt: (directPath) => {
      shelf.require(directPath).fault.corrupt = true;
    },
    truncate: (directPath, bytes) => {
      shelf.require(directPath).fault.truncate = bytes;
    },
    slow: (directPath, bytesPerSecond) => {
      shelf.require(directPath).fault.bytesPerSecond = bytesPerSecond;
    },
    dropAfter: (directPath, bytes) => {
      shelf.require(directPath).fault.dropAfter = bytes;
    },
    restore: (directPath) => {
      const { fault } = shelf.require(directPath);
      delete fault.status;
      delete fault.corrupt;
      delete fault.truncate;
      delete fault.bytesPerSecond;
      delete fault.dropAfter;
    },
  };
}
