import type { Clock } from '../../clock.ts';
import type { AccountFileSource } from '../account-files.ts';
import {
  type AccountLimit,
  type ChatState,
  type GroupMember,
  type Jid,
  type MediaConnection,
  type NumberLookup,
  type OutboundMessage,
  type OutboundReceipt,
  type PresenceState,
  type SendAck,
  SendRejected,
  type SessionEvent,
  type SessionFactory,
  SessionNotOpen,
  type SessionOptions,
  SessionTimeout,
  type WhatsAppSession,
} from '../session.ts';
import { AccountFeed } from './account/account-feed.ts';
import { PushNames } from './account/push-names.ts';
import { accountLimit, REACH_OUT_REFUSED } from './account/reach-out-lock.ts';
import { starPatch } from './account/star-patch.ts';
import { AckWaiter } from './ack-waiter.ts';
import { type AuthState, loadAuthState } from './auth-state.ts';
import { closeReason } from './close-reason.ts';
import { GroupCache } from './group-cache.ts';
import { Inbound } from './inbound.ts';
import {
  type BinaryNode,
  Browsers,
  encryptMediaRetryRequest,
  generateMessageIDV2,
  jidNormalizedUser,
  makeWASocket,
  proto,
  type ReachoutTimelockState,
  USyncQuery,
  USyncUser,
} from './library.ts';
import { separateQueues } from './libsignal-queue.ts';
import { identity } from './message-source.ts';
import { type NetworkOptions, networkAgent, trustNetwork } from './network-trust.ts';
import { KeepaliveWatch } from './notices/keepalive.ts';
import { askOwnPhone, receiptStanza, sendRetryReceipt, showsReading } from './outbound-receipts.ts';
import { type FrameSocket, holdFrames } from './outgoing-gate.ts';
import { PairingQr } from './pairing-qr.ts';
import { silenceLibsignal } from './quiet-libsignal.ts';
import { type LogSink, quietLogger } from './quiet-logger.ts';
import { quickenErrors } from './stack-traces.ts';

export interface BaileysOptions {
  network: NetworkOptions;
  log: LogSink;
  clock: Clock;
  /** How long a send waits for the server's ack, in milliseconds. */
  ackTimeoutMs?: number;
  /** Where history files come from; without it only history that comes inline is read. */
  accountFiles?: AccountFileSource;
}

type Socket = ReturnType<typeof makeWASocket>;

/** The server pings every 30 s: one sign of life per that time is enough for `last_seen`. */
const ALIVE_EVERY_MS = 20_000;
const DEFAULT_ACK_TIMEOUT_MS = 30_000;
/** How long a stop may take to finish with what has arrived; the rest is in the journal. */
const FINISH_MS = 1_500;
/** The library's own 10 tries 3 s apart would hold up a send for half a minute; what may not fail is tried on by us. */
const COMMIT_TRIES = { maxCommitRetries: 3, delayBetweenTriesMs: 200 };
/** A caller waits for this answer beside the ack's. */
const ASK_LIMIT_MS = 5_000;
const SERVER = '@s.whatsapp.net';
/** What the library calls an account whose name it does not know yet (`requestPairingCode`). */
const UNNAMED = '~';
/** What the server shows for a companion; a pairing code is refused for platforms it does not know. */
const BROWSER = Browsers.ubuntu('Chrome');

/** Sessions over Baileys. The network is set once for the process: see `trustNetwork`. */
export function createBaileysSessionFactory(options: BaileysOptions): SessionFactory {
  trustNetwork(options.network);
  quickenErrors();
  silenceLibsignal();
  separateQueues();
  return async (session) => new BaileysSession(options, session, await loadAuthState(session.credentials));
}

class BaileysSession implements WhatsAppSession {
  readonly #options: BaileysOptions;
  readonly #session: SessionOptions;
  readonly #auth: AuthState;
  readonly #acks = new AckWaiter();
  readonly #groups = new GroupCache();
  readonly #qr: PairingQr;
  readonly #keepalive: KeepaliveWatch;
  readonly #pushNames: PushNames;
  readonly #account: AccountFeed;
  #inbound: Inbound | null = null;
  #socket: Socket | null = null;
  #open = false;
  #stopping = false;
  #aliveAt = 0;
  #closed: Promise<void> = Promise.resolve();
  /** Connection events reach the listener one after the other. */
  #reports: Promise<void> = Promise.resolve();

  constructor(options: BaileysOptions, session: SessionOptions, auth: AuthState) {
    this.#options = options;
    this.#session = session;
    this.#auth = auth;
    this.#qr = new PairingQr(auth.creds, options.clock);
    this.#pushNames = new PushNames(session.credentials);
    this.#account = new AccountFeed({
      credentials: session.credentials,
      keys: auth.keys,
      report: session.report,
      own: () => this.#own(),
      mediaConnection: () => this.mediaConnection(),
      files: options.accountFiles ?? null,
      pushNames: this.#pushNames,
      log: options.log,
    });
    this.#keepalive = new KeepaliveWatch(options.clock, (notice) => this.#report({ type: 'notice', notice }));
  }

  async start(): Promise<void> {
    if (this.#socket) return;
    const account = this.#account;
    const inbound = new Inbound({
      credentials: this.#session.credentials,
      report: this.#pushNames.following(this.#session.report),
      own: () => this.#own(),
      roundTrip: () => this.#ping(),
      account,
      log: this.#options.log,
    });
    this.#inbound = inbound;
    await account.prepare();
    await inbound.recover();
    if (this.#stopping) return;
    const socket = this.#connect(inbound);
    this.#socket = socket;
    this.#holdFrames(socket);
    inbound.attach(socket);
    this.#closed = new Promise((resolve) => {
      socket.ev.on('connection.update', (update) => {
        if (update.qr) this.#report({ type: 'qr', ...this.#qr.nextRef(update.qr) });
        if (update.reachoutTimeLock) this.#onLock(update.reachoutTimeLock);
        if (update.connection === 'connecting') this.#report({ type: 'connecting' });
        if (update.connection === 'open') this.#onOpen();
        if (update.connection === 'close') {
          this.#onClose(update.lastDisconnect?.error);
          resolve();
        }
      });
    });
    account.attach(socket);
    socket.ev.on('creds.update', (update) => this.#onCredentials(update));
    socket.ws.on('CB:ack,class:message', (node: BinaryNode) => this.#acks.handle(node));
    socket.ws.on('CB:notification,type:companion_reg_refresh', () => this.#onSecretRetired());
    socket.ws.on('CB:notification,type:w:gp2', (node: BinaryNode) =>
      this.#groups.forget(node.attrs.from ?? ''),
    );
    socket.ws.on('frame', () => this.#onFrame());
  }

  #connect(inbound: Inbound): Socket {
    const agent = networkAgent(this.#options.network);
    return makeWASocket({
      auth: { creds: this.#auth.creds, keys: this.#account.keys },
      waWebSocketUrl: this.#options.network.url,
      logger: quietLogger(this.#options.log),
      browser: BROWSER,
      ...(agent ? { agent } : {}),
      // As WhatsApp Web in the background: the phone keeps ringing for new messages.
      markOnlineOnConnect: false,
      syncFullHistory: false,
      // History is read by the account feed; the library would hold each file in memory, and all events back.
      shouldSyncHistoryMessage: () => false,
      emitOwnEvents: false,
      transactionOpts: COMMIT_TRIES,
      makeSignalRepository: inbound.tap.makeSignalRepository,
      cachedGroupMetadata: async (jid) => this.#groups.get(jid),
      getMessage: async (key) => {
        const raw = await this.#session.loadSentMessage(key.remoteJid ?? '', key.id ?? '');
        return raw ? proto.Message.decode(raw) : undefined;
      },
    });
  }

  /** Nothing leaves before what it tells of is on the disk. */
  #holdFrames(socket: Socket): void {
    const { credentials } = this.#session;
    // `WebSocketClient` keeps it protected; it exists from `connect` on, which `makeWASocket` calls.
    const { socket: frames } = socket.ws as unknown as { socket: FrameSocket | null };
    // Without the gate a receipt could leave before the disk has its message: better no session at all.
    if (!frames) throw new Error('the library no longer shows its WebSocket: see outgoing-gate.ts');
    holdFrames(frames, async () => credentials.settled?.());
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#open) await within(FINISH_MS, this.#finish());
    this.#open = false;
    this.#socket?.end(undefined);
    await this.#closed;
    await this.#account.stop();
    await this.#inbound?.stop();
    await this.#reports;
    await this.#auth.saveCredentials();
  }

  async logout(): Promise<void> {
    await this.#opened().logout();
    await this.#closed;
    await this.#account.stop();
    await this.#inbound?.stop();
    await this.#reports;
  }

  async requestPairCode(phoneDigits: string): Promise<string> {
    if (!this.#socket) throw new SessionNotOpen();
    return this.#socket.requestPairingCode(phoneDigits);
  }

  newMessageId(): string {
    return generateMessageIDV2(this.#auth.creds.me?.id);
  }

  async send(out: OutboundMessage): Promise<SendAck> {
    const socket = this.#opened();
    const waiting = this.#acks.wait(out.id, this.#options.ackTimeoutMs ?? DEFAULT_ACK_TIMEOUT_MS);
    try {
      await this.#warmGroup(out.to);
      await socket.relayMessage(out.to, proto.Message.fromObject(out.message), {
        messageId: out.id,
        additionalAttributes: out.editAttribute ? { edit: out.editAttribute } : {},
        ...(out.extraNodes ? { additionalNodes: out.extraNodes } : {}),
      });
    } catch (error) {
      waiting.cancel();
      throw this.#open ? error : new SessionNotOpen('the connection ended while the message was being sent');
    }
    try {
      return await waiting.ack;
    } catch (error) {
      if (!(error instanceof SendRejected) || error.whatsappCode !== REACH_OUT_REFUSED) throw error;
      throw new SendRejected(error.whatsappCode, error.message, await this.#askLimit(socket));
    }
  }

  /** Whether the account is limited, or only the one contact is out of reach, the ack does not say. */
  async #askLimit(socket: Socket): Promise<AccountLimit | null> {
    // What it answers is reported as well: see #onLock.
    const lock = await within(ASK_LIMIT_MS, socket.fetchAccountReachoutTimelock());
    return lock ? accountLimit(lock, this.#options.clock.now()) : null;
  }

  async sendChatState(to: Jid, state: ChatState): Promise<void> {
    await this.#opened().sendPresenceUpdate(state, to);
  }

  async sendPresence(state: PresenceState): Promise<void> {
    await this.#opened().sendPresenceUpdate(state);
  }

  async subscribePresence(contact: Jid): Promise<void> {
    await this.#opened().presenceSubscribe(contact);
  }

  async lookUpNumbers(numbers: string[]): Promise<NumberLookup[]> {
    const socket = this.#opened();
    // One query per number: the answer names the registered JID, which may differ from what was asked
    // (Brazil's ninth digit), and the parsed result no longer says which question it answers.
    return Promise.all(numbers.map((number) => lookUp(socket, number)));
  }

  async groupMembers(group: Jid): Promise<GroupMember[]> {
    const metadata = await this.#groupMetadata(group);
    const names = this.#opened().signalRepository.lidMapping;
    return Promise.all(
      metadata.participants.map(async (member) => ({
        ...(await identity(member.id, member.phoneNumber ?? member.lid, names)),
        // `admin` or `superadmin` (the one who made the group); absent for the others.
        admin: typeof member.admin === 'string',
      })),
    );
  }

  async starMessage(request: Parameters<WhatsAppSession['starMessage']>[0]): Promise<void> {
    const socket = this.#opened();
    if (!this.#auth.creds.myAppStateKeyId) {
      throw new SessionNotOpen('the phone has not shared the keys of the account state yet');
    }
    try {
      await socket.appPatch(starPatch(request, this.#options.clock.now()));
    } catch (error) {
      if (!this.#open) throw new SessionNotOpen('the connection ended while the star was being set');
      this.#warn('the account state was not changed', error);
      throw new SessionTimeout('WhatsApp did not take the star');
    }
    const { author: sender, ...rest } = request;
    this.#report({ type: 'notice', notice: { name: 'message.starred', ...rest, sender } });
    await this.#reports;
  }

  async mediaConnection(refresh = false): Promise<MediaConnection> {
    const info = await this.#opened().refreshMediaConn(refresh);
    return {
      hosts: info.hosts.map((host) => host.hostname),
      auth: info.auth,
      expiresAt: info.fetchDate.getTime() + info.ttl * 1000,
    };
  }

  async requestMediaReupload(request: Parameters<WhatsAppSession['requestMediaReupload']>[0]): Promise<void> {
    const socket = this.#opened();
    const key = {
      id: request.messageId,
      remoteJid: request.chat,
      fromMe: request.fromMe,
      ...(request.participant ? { participant: request.participant } : {}),
    };
    const me = this.#auth.creds.me?.id ?? '';
    await socket.sendNode(encryptMediaRetryRequest(key, Buffer.from(request.mediaKey), me));
  }

  async sendReceipt(receipt: OutboundReceipt): Promise<void> {
    const socket = this.#opened();
    const shown = receipt.kind !== 'read' || (await showsReading(socket));
    await socket.sendNode(receiptStanza(receipt, shown));
  }

  async requestRetry(request: Parameters<WhatsAppSession['requestRetry']>[0]): Promise<void> {
    const socket = this.#opened();
    await sendRetryReceipt(socket, request);
    askOwnPhone(socket, request.messageId, request.address).catch((error: unknown) =>
      this.#warn('our own phone was not asked for the message', error),
    );
  }

  async requestHistory(request: Parameters<WhatsAppSession['requestHistory']>[0]): Promise<void> {
    const { chat, oldest, count } = request;
    const key = { remoteJid: chat, id: oldest.id, fromMe: oldest.fromMe };
    await this.#opened().fetchMessageHistory(count, key, oldest.timestamp);
  }

  #own(): { jid: Jid; lid: Jid | null } {
    const me = this.#auth.creds.me;
    return { jid: jidNormalizedUser(me?.id ?? ''), lid: me?.lid ? jidNormalizedUser(me.lid) : null };
  }

  /** What the account feed has stored by now is forgotten with the journal of the messages. */
  async #finish(): Promise<void> {
    await this.#account.stop();
    await this.#inbound?.finish();
  }

  async #ping(): Promise<void> {
    const answer = await this.#opened().query({
      tag: 'iq',
      attrs: { to: SERVER, type: 'get', xmlns: 'w:p' },
      content: [{ tag: 'ping', attrs: {} }],
    });
    if (!answer) throw new SessionTimeout('the server did not answer a ping');
  }

  #opened(): Socket {
    if (!this.#socket || !this.#open) throw new SessionNotOpen();
    return this.#socket;
  }

  /** Group sends need the member list; fetched once and kept until the server says that it changed. */
  async #warmGroup(to: Jid): Promise<void> {
    if (to.endsWith('@g.us')) await this.#groupMetadata(to);
  }

  async #groupMetadata(group: Jid) {
    const cached = this.#groups.get(group);
    if (cached) return cached;
    const fresh = await this.#opened().groupMetadata(group);
    this.#groups.put(group, fresh);
    return fresh;
  }

  #onLock(lock: ReachoutTimelockState): void {
    this.#report({ type: 'limit', limit: accountLimit(lock, this.#options.clock.now()) });
  }

  #onOpen(): void {
    this.#open = true;
    this.#keepalive.start();
    const { jid, lid } = this.#own();
    this.#report({ type: 'open', jid, lid, pushName: this.#auth.creds.me?.name ?? null });
  }

  #onClose(error: unknown): void {
    this.#open = false;
    this.#acks.closeAll();
    this.#keepalive.stop();
    const end = closeReason(error);
    if (end.reason === 'pairing_failed') {
      this.#report({ type: 'notice', notice: { name: 'connection.pair_error', reason: end.detail } });
    }
    this.#report({ type: 'closed', ...end, reason: this.#stopping && !error ? 'stopped' : end.reason });
  }

  #onCredentials(update: {
    account?: unknown;
    me?: { id: string; lid?: string | undefined; name?: string | undefined };
    platform?: string;
  }): void {
    this.#auth.saveCredentials().catch((error: unknown) => this.#warn('credentials were not saved', error));
    if (update.account && update.me) {
      const { jid, lid } = this.#own();
      this.#report({ type: 'paired', jid, lid, platform: update.platform ?? null });
    } else if (update.me?.name && update.me.name !== UNNAMED) {
      this.#report({ type: 'push_name', name: update.me.name });
    }
  }

  #onSecretRetired(): void {
    const refreshed = this.#qr.refreshSecret();
    this.#auth.saveCredentials().catch((error: unknown) => this.#warn('credentials were not saved', error));
    if (refreshed) this.#report({ type: 'qr', ...refreshed });
  }

  #onFrame(): void {
    this.#keepalive.frame();
    const now = this.#options.clock.now();
    if (!this.#open || now - this.#aliveAt < ALIVE_EVERY_MS) return;
    this.#aliveAt = now;
    this.#report({ type: 'alive' });
  }

  #report(event: SessionEvent): void {
    this.#reports = this.#reports
      .then(() => this.#session.report(event))
      .catch((error: unknown) => this.#warn(`the ${event.type} event was not taken`, error));
  }

  #warn(text: string, error: unknown): void {
    this.#options.log.warn({ device_id: this.#session.deviceId, reason: (error as Error).message }, text);
  }
}

/** Registered or not, with both names; a number that the server answers under another JID keeps its asked form. */
async function lookUp(socket: Socket, number: string): Promise<NumberLookup> {
  const query = new USyncQuery()
    .withContactProtocol()
    .withLIDProtocol()
    .withUser(new USyncUser().withPhone(`+${number}`));
  const result = await socket.executeUSyncQuery(query);
  if (!result) throw new SessionTimeout('WhatsApp did not answer the number look-up');
  const found = result.list.find((entry) => entry.contact === true);
  if (!found) return { number, exists: false, jid: null, lid: null };
  const lid = typeof found.lid === 'string' ? jidNormalizedUser(found.lid) : null;
  const jid = jidNormalizedUser(found.id);
  if (lid) await socket.signalRepository.lidMapping.storeLIDPNMappings([{ lid, pn: jid }]);
  return { number, exists: true, jid, lid };
}

/** What `work` comes to; undefined when it fails or takes longer than `ms`. */
async function within<T>(ms: number, work: Promise<T> | undefined): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  const done = await Promise.race([work?.catch(() => undefined), late]);
  clearTimeout(timer);
  return done;
}
