import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { type Cdn, createCdn } from '../../../sandbox/src/cdn/cdn.ts';
import { type ActionsRoom, composeActions } from '../../src/actions/composition.ts';
import { bulkRoutes } from '../../src/api/routes/messages/bulk.ts';
import { deleteRoutes } from '../../src/api/routes/messages/delete.ts';
import { jobsRoutes } from '../../src/api/routes/messages/jobs.ts';
import { sendRoutes } from '../../src/api/routes/messages/send.ts';
import { statusAndEditRoutes } from '../../src/api/routes/messages/status-and-edit.ts';
import { buildServer } from '../../src/api/server.ts';
import type { Clock } from '../../src/clock.ts';
import { AppError } from '../../src/errors.ts';
import { noEvents } from '../../src/events/recorder.ts';
import { MediaCache } from '../../src/media/cache/cache.ts';
import { OutboundFiles } from '../../src/media/outgoing/outbound.ts';
import { Uploads } from '../../src/media/outgoing/uploads.ts';
import { MessageStatuses } from '../../src/messages/status.ts';
import { GuardedClient } from '../../src/net/guarded-client.ts';
import { MediaHttp } from '../../src/net/media-http.ts';
import { createLog, type Log } from '../../src/observability/log.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import { type WaitingLimits, WaitingQuota } from '../../src/quotas/waiting.ts';
import { composeSending, type SendingRoom } from '../../src/sending/composition.ts';
import type { SendsForLater } from '../../src/sending/jobs/sends-for-later.ts';
import type { SendingDevices } from '../../src/sending/pipeline.ts';
import { FolderBlobStore } from '../../src/storage/blobs.ts';
import { Scratch } from '../../src/storage/scratch.ts';
import type { Caller } from '../../src/tenancy/caller.ts';
import { wireCodec } from '../../src/whatsapp/baileys/parse/wire-codec.ts';
import type { AccountLimit } from '../../src/whatsapp/port/account.ts';
import type { NumberLookup } from '../../src/whatsapp/port/contacts.ts';
import type { Identity } from '../../src/whatsapp/port/identity.ts';
import type { OutboundMessage, SendAck } from '../../src/whatsapp/port/messages.ts';
import { deviceNotReady } from '../../src/whatsapp/port/not-ready.ts';
import type { WhatsAppSession } from '../../src/whatsapp/port/session.ts';
import type { WireMessage } from '../../src/whatsapp/port/wire-message.ts';
import { ALICE, ArchiveWorld, BOB, CAROL, messageId, type TestDevice } from '../messages/archive-world.ts';
import {
  idleContacts,
  idleMedia,
  idleMessages,
  idlePresence,
  idleSession,
} from '../whatsapp/idle-session.ts';

const CDN_TOKEN = 'cdn-token';
export const MAX_BYTES = 2 * 1024 * 1024;
export const LATE_MS = 600_000;
export const JOB_AFTER_MS = 60_000;
const UNBOUNDED: WaitingLimits = { waitingJobs: 2 ** 31, waitingBytes: 2 ** 40 };

/** WhatsApp as seen through the port: takes what is sent, and answers as a test tells it to. */
export class ScriptedWhatsApp {
  readonly session: WhatsAppSession;
  readonly sent: OutboundMessage[] = [];
  readonly lookUps: string[][] = [];
  readonly states: string[] = [];
  /** Digits to what WhatsApp knows of them. */
  readonly numbers = new Map<string, Pick<NumberLookup, 'jid' | 'lid'>>();
  /** Answers the next sends; the default takes everything. */
  answer: (message: OutboundMessage) => Promise<SendAck>;
  /** What a look-up of numbers fails with. */
  lookUpFailure: Error | null = null;
  readonly #now: () => number;

  constructor(host: string, now: () => number) {
    this.#now = now;
    this.answer = this.takes;
    this.session = idleSession({
      messages: {
        ...idleMessages,
        newId: messageId,
        send: (message) => {
          this.sent.push(message);
          return this.answer(message);
        },
      },
      contacts: {
        ...idleContacts,
        lookUpNumbers: async (numbers) => {
          if (this.lookUpFailure) throw this.lookUpFailure;
          this.lookUps.push([...numbers]);
          return numbers.map((number) => this.#lookedUp(number));
        },
      },
      presence: {
        ...idlePresence,
        sendChatState: async (to, state) => {
          this.states.push(`${state} ${to}`);
        },
      },
      media: {
        ...idleMedia,
        connection: async () => ({
          hosts: [host],
          auth: CDN_TOKEN,
          expiresAt: now() + 3600_000,
          route: null,
        }),
      },
    });
  }

  takes = async (): Promise<SendAck> => ({ timestamp: this.#now() });

  /** What the recipient's phone would read: encoded and decoded by the real protobuf code. */
  content(index = -1): WireMessage {
    const message = this.sent.at(index)?.message;
    if (!message) throw new Error('nothing was sent');
    return wireCodec.decode(wireCodec.encode(message));
  }

  /** The same without what every new message carries. */
  said(index = -1): WireMessage {
    const { messageContextInfo: _, ...said } = this.content(index);
    return said;
  }

  #lookedUp(number: string): NumberLookup {
    const known = this.numbers.get(number);
    return { number, exists: known !== undefined, jid: known?.jid ?? null, lid: known?.lid ?? null };
  }
}

/** A user with one device, and WhatsApp as that device sees it. */
export interface Account {
  caller: Caller;
  device: TestDevice;
  whatsapp: ScriptedWhatsApp;
  /** False: the session is closed. */
  online: boolean;
  /** What WhatsApp lets the account not do. */
  limit: AccountLimit | null;
}

export interface Reply {
  status: number;
  body: ReturnType<typeof JSON.parse>;
  headers: Record<string, unknown>;
}

/** The sending part behind its HTTP routes: real database, server, cache and CDN; WhatsApp is scripted. */
export class SendingWorld {
  readonly store: ArchiveWorld;
  readonly cdn: Cdn;
  readonly accounts: Account[] = [];
  readonly #app: FastifyInstance;
  readonly #startJobs: () => SendsForLater;
  readonly #close: () => Promise<void>;
  #later: SendsForLater | null = null;

  private constructor(
    store: ArchiveWorld,
    cdn: Cdn,
    app: FastifyInstance,
    startJobs: () => SendsForLater,
    close: () => Promise<void>,
  ) {
    this.store = store;
    this.cdn = cdn;
    this.#app = app;
    this.#startJobs = startJobs;
    this.#close = close;
  }

  /** `waiting`: how many jobs may wait, and with how many bytes. */
  static async create(waiting: WaitingLimits = UNBOUNDED): Promise<SendingWorld> {
    const store = await ArchiveWorld.create();
    const { db, archive, clock } = store;
    const cdn = await createCdn({ authToken: () => CDN_TOKEN });
    const caFile = join(store.dataDir, 'ca.pem');
    await writeFile(caFile, cdn.caPem);
    const http = new MediaHttp({ caFile, defaultNetwork: false });
    const client = new GuardedClient();
    const log = createLog({ level: 'silent', format: 'json' });
    const cache = new MediaCache({
      db,
      blobs: new FolderBlobStore(join(store.dataDir, 'blobs')),
      clock,
      log,
      limits: { cacheMaxBytes: 2 ** 30, cacheMaxAgeMs: 2 ** 40 },
    });
    let world: SendingWorld | null = null;
    const accounts = (): Account[] => world?.accounts ?? [];
    const devices = scriptedDevices(accounts);
    const scratch = new Scratch(join(store.dataDir, 'scratch'));
    const uploads = new Uploads(scratch);
    const media = new OutboundFiles({ client, http, cache, scratch, maxBytes: MAX_BYTES, uploads });
    const compose = () =>
      composeSending({
        db,
        vault: store.vault,
        clock,
        log,
        events: noEvents,
        devices,
        archive,
        media,
        uploads,
        waiting: new WaitingQuota(db, waiting),
        folder: join(store.dataDir, 'outbox'),
        maxBytes: MAX_BYTES,
        tenantIds: async () => [...new Set(accounts().map(({ caller }) => caller.tenantId))],
        callerOf: async (job) =>
          accounts().find(({ caller }) => caller.userId === job.userId)?.caller ?? null,
        settings: {
          jobAfterMs: JOB_AFTER_MS,
          lateMs: LATE_MS,
          pace: { perMinute: 0, burst: 1, maxWaitMs: 0 },
        },
      });
    const room = compose();
    const { later } = room;
    const actions = composeActions({
      clock,
      devices,
      archive,
      media: { resolve: () => Promise.reject(new Error('no test here forwards a file')) },
      recipients: room.recipients,
      sending: room.pipeline,
    });
    const statuses = new MessageStatuses({ db, archive, devices });
    let first = true;
    const startJobs = () => {
      const started = first ? later : compose().later;
      first = false;
      for (const kind of later.operations.kinds) {
        const operation = later.operations.find(kind);
        if (operation) started.operations.register(operation);
      }
      return started;
    };
    const app = await serverOf(accounts, { log, clock, uploads, room, actions, statuses });
    world = new SendingWorld(store, cdn, app, startJobs, async () => {
      await app.close();
      await Promise.all([http.close(), client.close(), cdn.stop()]);
      await store.destroy();
    });
    return world;
  }

  async destroy(): Promise<void> {
    // One that was left in the middle of a send never ends.
    void this.#later?.runner.stop();
    await this.#close();
  }

  /** The worker takes up what is due. */
  async startJobs(): Promise<void> {
    this.#later = this.#startJobs();
    await this.#later.runner.start();
  }

  async stopJobs(): Promise<void> {
    await this.#later?.runner.stop();
    this.#later = null;
  }

  /** Another worker takes up what this one has under way, as after the end of its process. */
  async crash(): Promise<void> {
    void this.#later?.runner.stop();
    await this.startJobs();
  }

  /** A further device: of a new tenant, or of the given user. */
  async account(options: { caller?: Caller; identity?: Identity } = {}): Promise<Account> {
    const caller = options.caller ?? (await this.store.tenant());
    const device = await this.store.device(caller, options.identity ?? ALICE);
    const whatsapp = new ScriptedWhatsApp(this.cdn.hostname, () => this.store.clock.now());
    for (const { jid, lid } of [ALICE, BOB, CAROL]) {
      whatsapp.numbers.set(jid?.split('@')[0] ?? '', { jid, lid });
    }
    const account: Account = { caller, device, whatsapp, online: true, limit: null };
    this.accounts.push(account);
    return account;
  }

  post(account: Account, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    return this.call(account, 'POST', path, body, headers);
  }

  get(account: Account, path: string): Promise<Reply> {
    return this.call(account, 'GET', path);
  }

  put(account: Account, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    return this.call(account, 'PUT', path, body, headers);
  }

  async call(
    account: Account,
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    url: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Reply> {
    const response = await this.#app.inject({
      method,
      url,
      headers: {
        authorization: `Bearer ${account.caller.userId}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
    });
    return { status: response.statusCode, body: response.json(), headers: response.headers };
  }
}

/** The API's routes for messages alone; a user's token is the user's id. */
function serverOf(
  accounts: () => Account[],
  parts: {
    log: Log;
    clock: Clock;
    uploads: Uploads;
    room: SendingRoom;
    actions: ActionsRoom;
    statuses: MessageStatuses;
  },
): Promise<FastifyInstance> {
  const { log, clock, uploads, room, actions, statuses } = parts;
  const { pipeline: sending, idempotency, later } = room;
  return buildServer({
    log,
    clock,
    authenticator: {
      authenticate: async (token) => accounts().find((each) => each.caller.userId === token)?.caller ?? null,
      isMasterToken: () => false,
    },
    lifecycle: { phase: 'ready' },
    metrics: createMetrics(),
    version: '0',
    async routes(server) {
      await server.register(sendRoutes, {
        ...later,
        sending,
        idempotency,
        clock,
        mediaBodyLimit: 2 * MAX_BYTES,
        uploads,
        uploadLimit: MAX_BYTES,
      });
      await server.register(jobsRoutes, later);
      await server.register(bulkRoutes, { ...later, idempotency, clock, bodyLimit: 2 * MAX_BYTES });
      await server.register(statusAndEditRoutes, { ...actions, statuses, idempotency });
      await server.register(deleteRoutes, { ...actions, idempotency });
    },
  });
}

function scriptedDevices(accounts: () => Account[]): SendingDevices {
  const mine = (caller: Caller) =>
    accounts().filter(({ device }) => {
      return caller.role === 'user' ? device.userId === caller.userId : device.tenantId === caller.tenantId;
    });
  return {
    async resolve(caller, deviceId) {
      const found = mine(caller).find((each) => deviceId === undefined || each.device.id === deviceId);
      if (!found) throw new AppError('DEVICE_NOT_FOUND');
      return found.device;
    },
    list: async (caller) => mine(caller).map((each) => each.device),
    limitOf: (device) => accounts().find((each) => each.device.id === device.id)?.limit ?? null,
    session(device) {
      const account = accounts().find((each) => each.device.id === device.id);
      if (!account?.online) throw deviceNotReady({ reason: 'stopped' });
      return account.whatsapp.session;
    },
  };
}
