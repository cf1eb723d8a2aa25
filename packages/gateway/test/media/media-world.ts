import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { pino } from 'pino';
import { type Cdn, createCdn } from '../../../sandbox/src/cdn/cdn.ts';
import { ManualClock } from '../../src/clock.ts';
import { AppError } from '../../src/errors.ts';
import { EventOutbox } from '../../src/events/outbox.ts';
import { composeMedia, type MediaRoom } from '../../src/media/composition.ts';
import { mediaRow } from '../../src/media/descriptor-row.ts';
import { mmsType } from '../../src/media/keys.ts';
import { encryptMedia } from '../../src/media/outgoing/encrypt.ts';
import { DEFAULT_PICTURES } from '../../src/media/prepare/pictures.ts';
import type { MediaService, MediaServiceParts } from '../../src/media/service.ts';
import { MessageArchive } from '../../src/messages/archive.ts';
import { type FindingParts, findMessages } from '../../src/messages/visible.ts';
import { GuardedClient } from '../../src/net/guarded-client.ts';
import { MediaHttp } from '../../src/net/media-http.ts';
import { FolderBlobStore } from '../../src/storage/blobs.ts';
import type { Database, MessagesTable } from '../../src/storage/schema.ts';
import { Scratch } from '../../src/storage/scratch.ts';
import { Vault } from '../../src/storage/vault.ts';
import type { Caller } from '../../src/tenancy/caller.ts';
import { wireCodec } from '../../src/whatsapp/baileys/parse/wire-codec.ts';
import type { MediaDescriptor, MediaKind, SessionMedia } from '../../src/whatsapp/port/media.ts';
import { deviceNotReady } from '../../src/whatsapp/port/not-ready.ts';
import { addDevice, addTenant, addUser, openTestDatabase, type TestDatabase } from '../worlds/database.ts';
import { until } from '../worlds/until.ts';
import { answerOf, type PhoneMood } from './phone-says.ts';

export const AUTH = 'cdn-ticket';

/** All devices of a tenant are linked to one account, so that they hold copies of one message. */
const ACCOUNT = '5511888888888@s.whatsapp.net';

type Settings = MediaServiceParts['settings'];

export const START = Date.UTC(2026, 5, 15, 12);

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export interface TestDevice {
  id: string;
  tenantId: string;
  userId: string;
  jid: string;
  lid: string | null;
  mood: PhoneMood;
  online: boolean;
  hosts: string[];
  /** What asking WhatsApp for the media hosts, or the phone for an upload, ends with. */
  fails: { connection?: Error; requestReupload?: Error };
  /** Message ids of the re-upload requests that left. */
  requests: string[];
  /** Under which names the messages were asked for. */
  addresses: Pick<ReuploadRequest, 'chat' | 'participant' | 'fromMe'>[];
  /** Resolves with the number of requests once there are that many. */
  asked(count: number): Promise<void>;
}

export type ReuploadRequest = Parameters<SessionMedia['requestReupload']>[0];

export interface TestMedia {
  bytes: Buffer;
  descriptor: MediaDescriptor;
}

/** Who sees all of the tenant. */
export function adminOf(tenantId: string): Caller {
  return { tenantId, userId: tenantId, role: 'admin' };
}

/** The media part on a real database and folder, with the sandbox's CDN and simulated phones. */
export class MediaWorld {
  readonly dataDir: string;
  readonly db: Kysely<Database>;
  readonly cdn: Cdn;
  readonly http: MediaHttp;
  readonly scratch: Scratch;
  readonly clock = new ManualClock(START);
  readonly vault = new Vault(new Uint8Array(32).fill(5));
  readonly settings: Settings;
  readonly devices = new Map<string, TestDevice>();
  /** The log's lines. */
  readonly logged: Record<string, unknown>[] = [];
  /** Names of the events that were recorded. */
  readonly events: string[] = [];
  /** How often those who follow events were told of a commit. */
  commits = 0;
  /** Files beside the first: by row id and index. */
  readonly further = new Map<string, MediaDescriptor>();
  room: MediaRoom;
  readonly #client = new GuardedClient();
  readonly #store: TestDatabase;
  #phoneErrors: unknown[] = [];

  private constructor(store: TestDatabase, cdn: Cdn, http: MediaHttp, settings: Settings) {
    this.#store = store;
    this.dataDir = store.dataDir;
    this.scratch = new Scratch(join(store.dataDir, 'scratch'));
    this.db = store.db;
    this.cdn = cdn;
    this.http = http;
    this.settings = settings;
    this.room = this.#compose();
  }

  get media(): MediaService {
    return this.room.service;
  }

  static async create(settings: Partial<Settings> = {}, moreCa = ''): Promise<MediaWorld> {
    const store = await openTestDatabase({ sync: 'normal' });
    const cdn = await createCdn({ authToken: () => AUTH });
    const caFile = join(store.dataDir, 'ca.pem');
    await writeFile(caFile, `${cdn.caPem}\n${moreCa}`);
    const http = new MediaHttp({ caFile, defaultNetwork: false });
    return new MediaWorld(store, cdn, http, {
      prefetch: true,
      prefetchMaxBytes: 1024 * 1024,
      prefetchKinds: ['image', 'voice', 'document', 'sticker'],
      maxBytes: 8 * 1024 * 1024,
      cacheMaxBytes: 64 * 1024 * 1024,
      cacheMaxAgeMs: 24 * 3_600_000,
      downloadTimeoutMs: 20_000,
      retryExpiryMs: 60_000,
      urlTtlMs: 0,
      ...settings,
    });
  }

  #compose(): MediaRoom {
    const events = new EventOutbox({ clock: this.clock, vault: this.vault });
    events.subscribe({
      enlist: async (_trx, _device, { name }) => void this.events.push(name),
      committed: () => {
        this.commits += 1;
      },
    });
    return composeMedia({
      guarded: this.#client,
      ffmpeg: { path: 'ffmpeg', timeoutMs: 30_000, concurrency: 1, longestMs: 60_000 },
      pictures: DEFAULT_PICTURES,
      scratch: this.scratch,
      events,
      furtherFile: async ({ rowId }, index) => this.further.get(`${rowId} ${index}`) ?? null,
      db: this.db,
      blobs: new FolderBlobStore(join(this.dataDir, 'media')),
      vault: this.vault,
      clock: this.clock,
      log: pino({ level: 'debug' }, { write: (line) => void this.logged.push(JSON.parse(line)) }),
      settings: this.settings,
      http: this.http,
      messages: async (caller, name) =>
        (await findMessages(this.#finding(), caller, name)).map(({ rowId }) => rowId),
      sessions: {
        forDevice: (id) => this.#session(id),
        notReady: async (_tenantId, device_id) => deviceNotReady({ reason: 'stopped', device_id }),
      },
    });
  }

  #finding(): FindingParts {
    const { db, vault, clock } = this;
    const visible = async (caller: Caller) =>
      [...this.devices.values()]
        .filter(({ tenantId }) => tenantId === caller.tenantId)
        .map((device) => ({ ...device, jid: ACCOUNT, lid: null }));
    return {
      archive: new MessageArchive({ db, vault, clock, codec: wireCodec }),
      devices: {
        list: visible,
        resolve: async (caller, id) => {
          const device = (await visible(caller)).find((each) => each.id === id);
          if (!device) throw new AppError('DEVICE_NOT_FOUND');
          return device;
        },
      },
    };
  }

  /** Stops the media part and starts another on the same files, as a restart does. */
  async restart(): Promise<void> {
    await this.room.step.stop?.();
    this.room = this.#compose();
    await this.room.step.start?.();
  }

  /** What was logged with this text, without what every line has. */
  lines(text: string): Record<string, unknown>[] {
    return this.logged
      .filter(({ msg }) => msg === text)
      .map(({ msg: _, time: _time, pid: _pid, hostname: _host, ...rest }) => rest);
  }

  async close(): Promise<void> {
    await this.room.step.stop?.();
    await this.http.close();
    await this.#client.close();
    await this.cdn.stop();
    await this.#store.close();
    if (this.#phoneErrors.length > 0) throw new AggregateError(this.#phoneErrors, 'a simulated phone failed');
  }

  /** A tenant whose one user has the tenant's id. */
  async tenant(): Promise<string> {
    const id = await addTenant(this.db, START);
    await addUser(this.db, START, { tenantId: id, userId: id });
    return id;
  }

  async device(tenantId: string): Promise<TestDevice> {
    const id = await addDevice(this.db, START, { tenantId, userId: tenantId }, { jid: ACCOUNT, lid: null });
    const requests: string[] = [];
    const device: TestDevice = {
      id,
      tenantId,
      userId: tenantId,
      jid: ACCOUNT,
      lid: null,
      mood: 'reupload',
      online: true,
      fails: {},
      hosts: [this.cdn.hostname],
      requests,
      addresses: [],
      asked: async (count) => void (await until(`${count} requests`, () => requests.length >= count)),
    };
    this.devices.set(id, device);
    return device;
  }

  /** Encrypts and uploads a file as a sender's phone does. */
  async upload(bytes: Buffer, kind: MediaKind = 'image', mediaKey = randomBytes(32)): Promise<TestMedia> {
    const chunks: Uint8Array[] = [];
    const media = await encryptMedia(
      kind,
      [bytes],
      async (chunk) => void chunks.push(Buffer.from(chunk)),
      mediaKey,
    );
    const directPath = await this.put(Buffer.concat(chunks), kind);
    return {
      bytes,
      descriptor: {
        kind,
        mimeType: 'image/jpeg',
        fileName: null,
        fileLength: bytes.length,
        mediaKey,
        directPath,
        fileSha256: media.fileSha256,
        fileEncSha256: media.fileEncSha256,
        seconds: null,
        width: null,
        height: null,
      },
    };
  }

  /** Puts ciphertext on the CDN and returns its direct path. */
  async put(ciphertext: Buffer, kind: MediaKind = 'image'): Promise<string> {
    const token = createHash('sha256').update(ciphertext).digest('base64url');
    const { Readable } = await import('node:stream');
    const response = await this.http.upload(
      { host: this.cdn.hostname, route: null },
      `/mms/${mmsType(kind)}/${token}?auth=${AUTH}`,
      { body: Readable.from([ciphertext]), length: ciphertext.length },
      AbortSignal.timeout(5000),
    );
    const chunks: Buffer[] = [];
    for await (const chunk of response.body) chunks.push(chunk as Buffer);
    return (JSON.parse(Buffer.concat(chunks).toString()) as { direct_path: string }).direct_path;
  }

  /** Stores a received message with this media and returns its row id. */
  async message(
    device: TestDevice,
    messageId: string,
    media: MediaDescriptor | null,
    {
      lidAddressed = false,
      broadcastList = null,
      ...more
    }: Partial<MessagesTable> & { lidAddressed?: boolean; broadcastList?: string | null } = {},
  ): Promise<string> {
    const id = randomUUID();
    await this.db
      .insertInto('messages')
      .values({
        id,
        tenant_id: device.tenantId,
        device_id: device.id,
        message_id: messageId,
        chat_jid: '5511999990001@s.whatsapp.net',
        chat_lid: null,
        sender_jid: '5511999990001@s.whatsapp.net',
        sender_lid: null,
        from_me: 0,
        is_group: 0,
        kind: media?.kind ?? 'text',
        text: null,
        push_name: null,
        context: null,
        raw: new Uint8Array(1),
        source: 'phone',
        timestamp: START,
        send_state: 'none',
        send_error: null,
        delivered_at: null,
        read_at: null,
        played_at: null,
        edited_at: null,
        revoked_at: null,
        created_at: this.clock.now(),
        ...more,
      })
      .execute();
    if (media) {
      const owner = {
        messageRowId: id,
        tenantId: device.tenantId,
        deviceId: device.id,
        lidAddressed,
        broadcastList,
      };
      await this.db
        .insertInto('media')
        .values(mediaRow(media, owner, this.vault))
        .execute();
    }
    return id;
  }

  /** Body downloads that the CDN saw. */
  downloads(): { status: number; range?: string }[] {
    return this.cdn.log
      .filter((entry) => entry.method === 'GET')
      .map(({ status, range }) => ({ status, ...(range === undefined ? {} : { range }) }));
  }

  #session(deviceId: string) {
    const device = this.devices.get(deviceId);
    if (!device?.online) return null;
    const media: SessionMedia = {
      connection: async () => {
        if (device.fails.connection) throw device.fails.connection;
        return { hosts: device.hosts, auth: AUTH, expiresAt: START + 3_600_000, route: null };
      },
      requestReupload: async (request) => {
        if (device.fails.requestReupload) throw device.fails.requestReupload;
        const { chat, participant, fromMe } = request;
        device.requests.push(request.messageId);
        device.addresses.push({ chat, participant, fromMe });
        const { mood } = device;
        // The answer comes as a notification of its own, after the receipt was written.
        setImmediate(() => {
          answerOf(this, device, { ...request, mood }).catch((error) => this.#phoneErrors.push(error));
        });
      },
    };
    return { media };
  }
}
