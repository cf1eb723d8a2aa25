import { once } from 'node:events';
import {
  type AuthenticationState,
  initAuthCreds,
  makeWASocket,
  type SignalDataSet,
  type SignalDataTypeMap,
  WA_CERT_DETAILS,
  type WAMessage,
  type WASocket,
} from 'baileys';

const ignore = (): void => {};
const SILENT = {
  level: 'silent',
  child: () => SILENT,
  trace: ignore,
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
};

/** An authentication state in memory, shared by the connections of one device. */
export function memoryAuth(): AuthenticationState {
  const store = new Map<string, unknown>();
  return {
    creds: initAuthCreds(),
    keys: {
      async get<T extends keyof SignalDataTypeMap>(type: T, ids: string[]) {
        const found: { [id: string]: SignalDataTypeMap[T] } = {};
        for (const id of ids) {
          const value = store.get(`${type}/${id}`);
          if (value !== undefined) found[id] = value as SignalDataTypeMap[T];
        }
        return found;
      },
      async set(data: SignalDataSet) {
        for (const [type, entries] of Object.entries(data)) {
          for (const [id, value] of Object.entries(entries ?? {})) {
            if (value === null || value === undefined) store.delete(`${type}/${id}`);
            else store.set(`${type}/${id}`, value);
          }
        }
      },
    },
  };
}

type Events = Parameters<WASocket['ev']['process']>[0] extends (events: infer E) => unknown ? E : never;

/** A Baileys device in a test: what it reported so far, and waiting for what it has yet to report. */
export class Client {
  readonly auth: AuthenticationState;
  readonly events: Events[] = [];
  readonly messages: WAMessage[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #url: string;
  readonly #options: Record<string, unknown>;
  #socket: WASocket | undefined;

  constructor(
    network: { url: string; rootPublic: Uint8Array },
    auth = memoryAuth(),
    options: Record<string, unknown> = {},
  ) {
    this.#url = network.url;
    this.auth = auth;
    this.#options = options;
    WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(network.rootPublic);
  }

  get socket(): WASocket {
    if (!this.#socket) throw new Error('not connected');
    return this.#socket;
  }

  /** Opens a connection; events are collected from all connections of this client. */
  connect(): this {
    const socket = makeWASocket({
      waWebSocketUrl: this.#url,
      auth: this.auth,
      logger: SILENT,
      // Without it a first connection holds its events back for 20 s, waiting for a history sync.
      shouldSyncHistoryMessage: () => false,
      syncFullHistory: false,
      qrTimeout: 60_000,
      ...this.#options,
    });
    this.#socket = socket;
    socket.ev.process((events) => {
      if (events['creds.update']) Object.assign(this.auth.creds, events['creds.update']);
      for (const message of events['messages.upsert']?.messages ?? []) this.messages.push(message);
      this.events.push(events);
      for (const wake of [...this.#waiting]) wake();
    });
    return this;
  }

  /** The first value that `pick` finds in an event, past or to come. */
  async until<T>(what: string, pick: () => T | undefined, timeoutMs = 60_000): Promise<T> {
    const now = pick();
    if (now !== undefined) return now;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        reject(new Error(`waited in vain for ${what}`));
      }, timeoutMs);
      const look = (): void => {
        const value = pick();
        if (value === undefined) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve(value);
      };
      this.#waiting.add(look);
    });
  }

  /** The first event of a name that fits, from event number `after` on. */
  event<K extends keyof Events>(
    name: K,
    fits: (value: NonNullable<Events[K]>) => boolean = () => true,
    after = 0,
  ): Promise<NonNullable<Events[K]>> {
    return this.until(`event ${String(name)}`, () => {
      for (const events of this.events.slice(after)) {
        const value = events[name];
        if (value !== undefined && value !== null && fits(value as NonNullable<Events[K]>)) {
          return value as NonNullable<Events[K]>;
        }
      }
      return undefined;
    });
  }

  /** The `n`th QR text shown. */
  qr(n = 0): Promise<string> {
    return this.until('a QR code', () => {
      const codes = this.events.flatMap((events) => events['connection.update']?.qr ?? []);
      return codes[n];
    });
  }

  /** The status code with which the connection closed, from event number `after` on. */
  async closed(after = 0): Promise<number> {
    const update = await this.event('connection.update', ({ connection }) => connection === 'close', after);
    const error = update.lastDisconnect?.error as { output?: { statusCode?: number } } | undefined;
    return error?.output?.statusCode ?? 0;
  }

  async open(after = 0): Promise<void> {
    await this.event('connection.update', ({ connection }) => connection === 'open', after);
    await this.event('connection.update', (update) => update.receivedPendingNotifications === true, after);
  }

  /** Is linked by a phone, which scans its QR; closed by the server then, it connects again. */
  async linkTo<Linked>(phone: { scanQr(qr: string): Promise<Linked> }): Promise<Linked> {
    const linked = await phone.scanQr(await this.qr());
    await this.reconnect();
    return linked;
  }

  /** Connects anew once the server has closed the connection, with 515 as it does after linking. */
  async reconnect(): Promise<void> {
    const code = await this.closed();
    if (code !== 515) throw new Error(`closed with ${code}, and not to connect anew`);
    await this.end();
    const before = this.events.length;
    this.connect();
    await this.open(before);
  }

  /** A received message with this text. */
  message(text: string): Promise<WAMessage> {
    return this.until(`the message "${text}"`, () => {
      return this.messages.find(({ message }) => {
        return (message?.conversation ?? message?.extendedTextMessage?.text) === text;
      });
    });
  }

  async end(): Promise<void> {
    if (!this.#socket) return;
    const socket = this.#socket;
    this.#socket = undefined;
    const raw = (socket.ws as unknown as { socket: (NodeJS.EventEmitter & { readyState: number }) | null })
      .socket;
    const gone = raw && raw.readyState < 3 ? once(raw, 'close') : undefined;
    await socket.end(undefined);
    await gone;
  }
}
