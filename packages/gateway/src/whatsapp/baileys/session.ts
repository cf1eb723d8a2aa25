import type { Clock } from '../../clock.ts';
import type { AccountFileSource } from '../port/account-files.ts';
import { LeaseEnded } from '../port/credentials.ts';
import type { SessionAbilities, SessionFactory, SessionParts, WhatsAppSession } from '../port/session.ts';
import { account } from './abilities/account.ts';
import { blockList } from './abilities/block-list.ts';
import { business } from './abilities/business.ts';
import { calls } from './abilities/calls.ts';
import { communities } from './abilities/communities.ts';
import { contacts } from './abilities/contacts.ts';
import { groupJoining } from './abilities/group-joining.ts';
import { groups } from './abilities/groups.ts';
import { history } from './abilities/history.ts';
import { media } from './abilities/media.ts';
import { messages } from './abilities/messages.ts';
import { newsletters } from './abilities/newsletters.ts';
import { presence } from './abilities/presence.ts';
import { profile } from './abilities/profile.ts';
import { receipts } from './abilities/receipts.ts';
import { stories } from './abilities/stories.ts';
import { AccountFeed } from './account/account-feed.ts';
import { DirtyGroups } from './account/dirty-groups.ts';
import { PushNames } from './account/push-names.ts';
import { accountLimit } from './account/reach-out-lock.ts';
import { storedLids } from './account/stored-lids.ts';
import { cleanAnswers, cleanReports } from './clean-session.ts';
import { type AuthState, loadAuthState } from './connection/auth-state.ts';
import { checkCertificates } from './connection/checked-signatures.ts';
import { closeReason } from './connection/close-reason.ts';
import { sessionError } from './connection/engine-errors.ts';
import { Link } from './connection/link.ts';
import { Liveness } from './connection/liveness.ts';
import { type NetworkOptions, refuseForeignRoot } from './connection/network-trust.ts';
import { type LogSink, logOf } from './connection/quiet-logger.ts';
import { cut, DEVICE_TYPE, openSocket } from './connection/socket.ts';
import { quickenErrors } from './connection/stack-traces.ts';
import { loggedOut, unlink } from './connection/unlink.ts';
import { within } from './connection/within.ts';
import { Inbound } from './inbound/inbound.ts';
import { SetAside, type UnreadableOutcome } from './inbound/set-aside.ts';
import type { BinaryNode, Socket } from './library.ts';
import { PairingCode } from './linking/pairing-code.ts';
import { PairingQr } from './linking/pairing-qr.ts';
import { PasskeyLinking } from './linking/passkey-linking.ts';
import { AckWaiter } from './outbound/ack-waiter.ts';
import { GroupCache } from './outbound/group-cache.ts';
import { dropMissingKeys } from './outbound/missing-keys.ts';
import { RetryAnswers } from './outbound/retry-answers.ts';

export interface BaileysParts {
  network: NetworkOptions;
  log: LogSink;
  clock: Clock;
  /** How long a send waits for the server's ack, in milliseconds. */
  ackTimeoutMs?: number;
  /** How long a question to the server waits for its answer, in milliseconds. */
  queryTimeoutMs?: number;
  /** Where history files come from; without it only history that comes inline is read. */
  accountFiles?: AccountFileSource;
  /** Counts messages that were refused because their ciphertext had not come past the decryption tap. */
  unseenCiphertexts?: { inc(): void };
  /** Counts what came in and could not be understood, by what became of it. */
  unreadable?: { inc(labels: { outcome: UnreadableOutcome }): void };
}

const DEFAULT_ACK_TIMEOUT_MS = 30_000;
const DEFAULT_QUERY_TIMEOUT_MS = 30_000;
/** How long a stop may take to finish with what has arrived; the rest is in the journal. */
const FINISH_MS = 1_500;
/** What the library calls an account whose name it does not know yet (`requestPairingCode`). */
const UNNAMED = '~';

/** Sessions over Baileys. */
export function createBaileysSessionFactory(parts: BaileysParts): SessionFactory {
  refuseForeignRoot(parts.network);
  quickenErrors();
  checkCertificates();
  return async (session) => {
    const auth = await loadAuthState(session.credentials);
    const log = logOf(parts.log, session.deviceId);
    const report = cleanReports(session.report);
    const connection = new Connection({ ...parts, log }, { ...session, report }, auth);
    const life: Pick<WhatsAppSession, 'start' | 'stop' | 'logout'> = {
      start: () => connection.start(),
      stop: () => connection.stop(),
      logout: () => connection.logout(),
    };
    return { ...life, ...cleanAnswers(connection.abilities) };
  };
}

/** The life of one connection. What it can do while it is open is in `abilities/`. */
class Connection {
  readonly abilities: SessionAbilities;
  readonly #parts: BaileysParts;
  readonly #session: SessionParts;
  readonly #auth: AuthState;
  readonly #link: Link;
  readonly #acks: AckWaiter;
  readonly #groups = new GroupCache();
  readonly #dirtyGroups = new DirtyGroups();
  readonly #retries: RetryAnswers;
  readonly #qr: PairingQr;
  readonly #code: PairingCode;
  readonly #passkey: PasskeyLinking;
  readonly #liveness: Liveness;
  readonly #pushNames: PushNames;
  readonly #account: AccountFeed;
  readonly #setAside: SetAside;
  #inbound: Inbound | null = null;
  #stopping = false;
  /** The newest save of the credentials. */
  #saved: Promise<void> = Promise.resolve();
  /** The phone has linked the device, and whoever asked for it knows. */
  #linked: Promise<void> = Promise.resolve();
  #groupsTold: Promise<void> = Promise.resolve();
  /** Why the linking that the phone has agreed to was not completed. */
  #pairingRefused: string | null = null;
  /** The server has removed the companion. */
  #removed = false;
  #closed: Promise<void> = Promise.resolve();

  constructor(parts: BaileysParts, session: SessionParts, auth: AuthState) {
    const { clock, log } = parts;
    const { deviceId, credentials, report, route } = session;
    this.#parts = parts;
    this.#session = session;
    this.#auth = auth;
    const link = new Link({ deviceId, creds: auth.creds, clock, log, report, route });
    this.#link = link;
    this.#acks = new AckWaiter(clock);
    this.#liveness = new Liveness({ link, clock, queryTimeoutMs: this.#queryTimeoutMs() });
    this.#qr = new PairingQr({
      creds: auth.creds,
      clock,
      save: () => this.#saveCredentials(),
      show: (qr) => void link.report({ type: 'qr', ...qr }),
    });
    this.#code = new PairingCode(link);
    this.#passkey = new PasskeyLinking({
      link,
      deviceType: DEVICE_TYPE,
      save: () => this.#saveCredentials(),
      holdQr: () => this.#qr.hold(),
    });
    this.abilities = this.#abilities(link);
    this.#retries = new RetryAnswers({
      link,
      groups: this.#groups,
      loadSentMessage: (...asked) => session.loadSentMessage(...asked),
    });
    this.#pushNames = new PushNames(credentials);
    const counter = parts.unreadable ?? { inc: () => undefined };
    this.#setAside = new SetAside({ deviceId, credentials, log, counter });
    this.#account = new AccountFeed({
      credentials,
      keys: auth.keys,
      report,
      own: () => link.own(),
      mediaConnection: () => this.abilities.media.connection(),
      files: parts.accountFiles ?? null,
      pushNames: this.#pushNames,
      setAside: this.#setAside,
      log,
    });
  }

  async start(): Promise<void> {
    if (this.#link.socket) return;
    try {
      await this.#start();
    } catch (error) {
      throw sessionError(error, true);
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#link.isOpen) await within(FINISH_MS, this.#finish());
    this.#link.closed();
    this.#link.socket?.end(undefined);
    try {
      await this.#ended();
      await this.#auth.saveCredentials();
    } catch (error) {
      // Another session has taken over while this one closed: there is nothing of it to keep.
      if (error instanceof LeaseEnded) return;
      throw sessionError(error, true);
    }
  }

  async logout(): Promise<void> {
    await this.#link.ask(unlink).catch((error: unknown) => {
      // The end of the stream may come before the answer, and says the same.
      if (!this.#removed) throw error;
    });
    await this.#link.socket?.end(loggedOut());
    await this.#ended();
  }

  #abilities(link: Link): SessionAbilities {
    const ackTimeoutMs = this.#parts.ackTimeoutMs ?? DEFAULT_ACK_TIMEOUT_MS;
    const names = storedLids(this.#auth.keys);
    return {
      pairing: this.#code,
      passkey: this.#passkey,
      messages: messages({
        link,
        acks: this.#acks,
        groups: this.#groups,
        ackTimeoutMs,
        suspect: () => void this.#liveness.probe(),
      }),
      receipts: receipts(link, async () => (await this.#session.showsReading?.()) ?? true),
      media: media(link),
      calls: calls(link),
      profile: profile(link),
      groups: groups({
        link,
        cache: this.#groups,
        dirty: this.#dirtyGroups,
        names,
      }),
      groupJoining: groupJoining({ link, names }),
      communities: communities({ link }),
      contacts: contacts(link),
      blockList: blockList(link),
      presence: presence(link, async () => (await this.#session.mayAppear?.()) ?? true),
      account: account(link, (socket, names, anew) => this.#account.refresh(socket, names, anew)),
      history: history(link),
      newsletters: newsletters(link, this.#acks),
      business: business(link),
      stories: stories(link),
    };
  }

  async #start(): Promise<void> {
    const { credentials, report } = this.#session;
    const inbound = new Inbound({
      credentials,
      report: this.#pushNames.following(report),
      own: () => this.#link.own(),
      roundTrip: () => this.#liveness.ping(),
      clock: this.#parts.clock,
      account: this.#account,
      hasReceived: (message) => this.#session.hasReceived(message),
      setAside: this.#setAside,
      log: this.#parts.log,
      unseen: this.#parts.unseenCiphertexts ?? { inc: () => undefined },
    });
    this.#inbound = inbound;
    await this.#account.prepare();
    await inbound.recover();
    if (this.#stopping) return;
    const socket = openSocket({
      network: this.#parts.network,
      route: this.#session.route,
      log: this.#parts.log,
      queryTimeoutMs: this.#queryTimeoutMs(),
      onUnanswered: () => void this.#liveness.probe(),
      creds: this.#auth.creds,
      account: this.#account,
      keptGroup: (jid) => this.#groups.get(jid),
      makeSignalRepository: inbound.tap.makeSignalRepository,
      durable: () => this.#durable(),
    });
    this.#link.connected(socket);
    // Before the gate of the way in, which holds back whoever listens by then.
    this.#retries.attach(socket);
    inbound.attach(socket);
    this.#closed = new Promise((resolve) => this.#follow(socket, resolve));
    this.#account.attach(socket);
    this.#qr.attach(socket);
    this.#code.attach(socket);
    this.#passkey.attach(socket);
    this.#dirtyGroups.attach(
      socket,
      () => {
        this.#groupsTold = this.#link.report({ type: 'groups_changed' });
      },
      (error) => this.#link.warn('what the server called dirty was not fetched', error),
    );
    socket.ev.on('creds.update', (update) => this.#onCredentials(update));
    socket.ws.on('CB:ack,class:message', (node: BinaryNode) => this.#acks.handle(node));
    socket.ws.on('CB:notification,type:w:gp2', (node: BinaryNode) =>
      this.#groups.forget(node.attrs.from ?? ''),
    );
    socket.ws.on('frame', (frame: BinaryNode) => {
      this.#liveness.frame();
      for (const { jid, code } of dropMissingKeys(frame)) {
        this.#link.warnOf({ recipient: jid, whatsapp_code: code }, 'WhatsApp gave no keys for a device');
      }
    });
  }

  #follow(socket: Socket, ended: () => void): void {
    const link = this.#link;
    socket.ev.on('connection.update', (update) => {
      if (update.reachoutTimeLock) {
        const limit = accountLimit(update.reachoutTimeLock, this.#parts.clock.now());
        void link.report({ type: 'limit', limit });
      }
      if (update.connection === 'connecting') void link.report({ type: 'connecting' });
      if (update.connection === 'open') this.#onOpen();
      if (update.connection === 'close') {
        this.#onClose(update.lastDisconnect?.error);
        ended();
      }
    });
  }

  /** What the account feed has stored by now is forgotten with the journal of the messages. */
  async #finish(): Promise<void> {
    await this.#account.stop();
    await this.#inbound?.finish();
  }

  async #ended(): Promise<void> {
    await this.#closed;
    await this.#account.stop();
    await this.#inbound?.stop();
    await this.#link.reported();
  }

  #queryTimeoutMs(): number {
    return this.#parts.queryTimeoutMs ?? DEFAULT_QUERY_TIMEOUT_MS;
  }

  #onOpen(): void {
    // A server that lets in whom it has not linked is mistaken, or is not WhatsApp's.
    if (!this.#auth.creds.account) {
      this.#link.warnOf({}, 'the server logged in a device that is not linked');
      if (this.#link.socket) cut(this.#link.socket);
      return;
    }
    this.#link.opened();
    this.#liveness.start();
    const pushName = this.#auth.creds.me?.name ?? null;
    void this.#link.report({ type: 'open', ...this.#link.own(), pushName });
  }

  #onClose(error: unknown): void {
    this.#link.closed();
    this.#qr.stop();
    this.#acks.closeAll();
    this.#liveness.stop();
    const end = this.#pairingRefused
      ? { reason: 'pairing_failed' as const, detail: this.#pairingRefused, statusCode: null }
      : closeReason(error, this.#parts.network.url, this.#parts.clock.now());
    this.#removed = end.reason === 'logged_out';
    if (end.reason === 'pairing_failed') {
      const notice = { name: 'connection.pair_error', reason: end.detail } as const;
      void this.#link.report({ type: 'notice', notice });
    }
    const reason = this.#stopping && !error ? 'stopped' : end.reason;
    void this.#link.report({ type: 'closed', ...end, reason });
  }

  /**
   * Nothing leaves before what it tells of is stored, credentials included: the reply that completes a linking
   * (whatsmeow pair.go handlePair saves first), an upload of pre-keys whose ids must not be given out twice.
   */
  async #durable(): Promise<void> {
    await this.#inbound?.kept();
    await this.#saved;
    await this.#linked;
    await this.#groupsTold;
    if (this.#pairingRefused) throw new Error(this.#pairingRefused);
    await this.#session.credentials.durable?.();
  }

  #onCredentials(update: {
    account?: unknown;
    me?: { id: string; lid?: string | undefined; name?: string | undefined };
    platform?: string;
  }): void {
    this.#saveCredentials();
    if (update.account && update.me) {
      this.#linked = this.#paired(update.platform ?? null);
    } else if (update.me?.name && update.me.name !== UNNAMED) {
      void this.#link.report({ type: 'push_name', name: update.me.name });
    }
  }

  /** Linked is only who is stored, and still wanted. Otherwise the gate cuts the connection with the reply unsent. */
  async #paired(platform: string | null): Promise<void> {
    try {
      await this.#saved;
      await this.#link.reportTaken({ type: 'paired', ...this.#link.own(), platform });
    } catch {
      this.#pairingRefused = 'the credentials could not be stored';
    }
  }

  #saveCredentials(): void {
    this.#saved = this.#auth.saveCredentials();
    this.#saved.catch((error: unknown) => this.#link.warn('credentials were not saved', error));
  }
}
