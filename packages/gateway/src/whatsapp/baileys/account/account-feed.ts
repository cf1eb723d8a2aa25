import type { StateCollection } from '../../port/account.ts';
import { AccountFileLost, type AccountFileSource } from '../../port/account-files.ts';
import type { CredentialStore, JournalEntry } from '../../port/credentials.ts';
import type { SessionReporter } from '../../port/events.ts';
import type { MediaConnection } from '../../port/media.ts';
import type { InboundMessage } from '../../port/messages.ts';
import type { SessionNotice } from '../../port/notices.ts';
import type { LogSink } from '../connection/quiet-logger.ts';
import { InboundQueue } from '../inbound/inbound-queue.ts';
import { FileUnreachable, mayPass } from '../inbound/may-pass.ts';
import type { SetAside } from '../inbound/set-aside.ts';
import { type BinaryNode, jidNormalizedUser, proto, type SignalKeyStore, type Socket } from '../library.ts';
import { decodeProtobuf } from '../parse/bounded-protobuf.ts';
import { identity, type OwnAccount } from '../parse/message-source.ts';
import { AppStateAnswers } from './app-state-answers.ts';
import { appStateNotice, namesOfContact } from './app-state-notices.ts';
import { decodeMutations } from './app-state-patch.ts';
import { AppStateSync } from './app-state-sync.ts';
import { AppStateTap, appliedPatch, isAppStateEntry } from './app-state-tap.ts';
import { storeChatTokens } from './chat-tokens.ts';
import { followContactSecret, storeContactSecret } from './contact-secret.ts';
import { historyKind, historyNotification } from './history-notification.ts';
import { HISTORY_BATCH, inlineFile, readHistory } from './history-reader.ts';
import type { PushNames } from './push-names.ts';
import { readShared, type SharedHistory } from './shared-history.ts';
import { storedLids } from './stored-lids.ts';

interface Task {
  entry: JournalEntry;
  done(): void;
  /** Not the account's own: a member's, of a group. */
  shared?: SharedHistory;
}

export interface AccountFeedParts {
  credentials: CredentialStore;
  keys: SignalKeyStore;
  report: SessionReporter;
  own(): OwnAccount;
  mediaConnection(): Promise<MediaConnection>;
  /** Null: files on the media hosts are passed over, only what comes inline is read. */
  files: AccountFileSource | null;
  pushNames: PushNames;
  setAside: SetAside;
  log: LogSink;
}

/**
 * What the account's phone tells its linked devices about the account itself: changes of its state (pins,
 * labels, contacts…) and its history. Both take their own way, past the library's event buffer, which holds
 * things back for up to 30 s and forgets them in a crash: each is a journal row from the commit that
 * consumes it on the wire until it is stored.
 *
 * They have a queue of their own, because a history takes minutes, and messages must not wait for it. It runs
 * while the session is open: files are fetched from hosts that only the server names.
 */
export class AccountFeed {
  /** The key store to give to the library. */
  readonly keys: SignalKeyStore;
  readonly #parts: AccountFeedParts;
  readonly #queue: InboundQueue;
  /** What others share: nothing of the account waits for their files. */
  readonly #sharedQueue: InboundQueue;
  readonly #tap: AppStateTap;
  readonly #sync: AppStateSync;
  readonly #stopping = new AbortController();
  #lids: Socket['signalRepository']['lidMapping'] | null = null;
  /** Rows that came before the session was open. */
  #waiting: Task[] | null = [];
  /** History rows taken since the start: a redelivered stanza brings its row again. */
  readonly #taken = new Set<string>();

  constructor(parts: AccountFeedParts) {
    this.#parts = parts;
    this.#queue = new InboundQueue((error) => this.#warn('account data not stored yet', error));
    this.#sharedQueue = new InboundQueue((error) => this.#warn('shared history not stored yet', error));
    this.#sync = new AppStateSync({
      credentials: parts.credentials,
      takeCurrent: () => this.#tap.takeCurrent(),
      takeSpoilt: () => this.#tap.takeSpoilt(),
      takeRefusal: () => this.#tap.takeRefusal(),
      enqueue: (work) =>
        this.#queue.push({
          store: work,
          setAside: async (error) => this.#warn('an app-state sync was not reported', error),
        }),
      report: (notice) => this.#report(notice),
      warn: (error) => this.#warn('an app-state sync did not finish', error),
    });
    this.#tap = new AppStateTap({
      synced: this.#sync.synced,
      stored: this.#sync.stored,
      applied: (entry) => this.take(entry, () => undefined),
    });
    this.keys = this.#tap.watch(parts.keys);
  }

  /** Call before the socket opens. */
  async prepare(): Promise<void> {
    await this.#sync.load();
  }

  /** The library is about to ask for a collection. Throws when it has asked too often without being told of it. */
  stateAsked(collection: string): void {
    this.#tap.asked(collection);
  }

  /** A question has not been answered. */
  questionFailed(): void {
    this.#tap.questionFailed();
  }

  attach(socket: Socket): void {
    this.#tap.questionFailed();
    this.#lids = socket.signalRepository.lidMapping;
    new AppStateAnswers({
      read: (file) => this.#fileOfState(file),
      replaces: (collection) => this.#tap.replaces(collection),
      see: (answer) => this.#tap.see(answer),
      refused: () => this.#tap.questionFailed(),
      failed: (error) => this.#warn('a part of the app state could not be read', error),
    }).attach(socket);
    socket.ev.on('creds.update', ({ myAppStateKeyId }) => {
      if (myAppStateKeyId) this.#sync.run(socket);
    });
    // Told of before `CB:notification`, by which the library goes.
    socket.ws.on('CB:notification,type:server_sync', (node: BinaryNode) => {
      // It keeps an index of a node's children once asked for it (generic-utils.js), so it is not asked here.
      const children = Array.isArray(node.content) ? node.content : [];
      // The library looks at the first collection alone, and for one that the server does not know it asks
      // again and again, without end.
      node.content = [];
      this.#sync.update(
        socket,
        children.filter(({ tag }) => tag === 'collection').map(({ attrs }) => attrs.name),
      );
    });
    socket.ev.on('connection.update', ({ connection }) => {
      if (connection !== 'open') return;
      const waiting = this.#waiting ?? [];
      this.#waiting = null;
      for (const task of waiting) this.#enqueue(task);
      if (socket.authState.creds.myAppStateKeyId) this.#sync.run(socket);
    });
  }

  /**
   * True when the row is the feed's to work off. `done` is called once it is stored; rows that no stanza
   * can bring again are deleted here, at once, because their notices would be repeated.
   */
  take(entry: JournalEntry, done: () => void): boolean {
    if (!isAppStateEntry(entry)) {
      if (!historyNotification(entry, this.#parts.own())) return false;
      if (this.#taken.has(entry.id)) return true;
      this.#taken.add(entry.id);
    }
    this.#begin({ entry, done });
    return true;
  }

  /** The past of a group that a member shared: worked off, and `done` called, as by `take`. */
  takeShared(shared: SharedHistory, entry: JournalEntry, done: () => void): void {
    if (this.#taken.has(entry.id)) return;
    this.#taken.add(entry.id);
    this.#begin({ entry, done, shared });
  }

  #begin(task: Task): void {
    if (this.#waiting) this.#waiting.push(task);
    else this.#enqueue(task);
  }

  /** See `SessionAccount.sync`; resolves with the collections that could not be had. */
  refresh(socket: Socket, names: readonly StateCollection[], anew: boolean): Promise<string[]> {
    return this.#sync.refresh(socket, names, anew);
  }

  /** What is under way is broken off; its row stays for the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#sync.stop();
    const finished = Promise.all([this.#queue.drained(), this.#sharedQueue.drained()]);
    this.#queue.stopRetrying();
    this.#sharedQueue.stopRetrying();
    await finished;
  }

  #enqueue({ entry, done, shared }: Task): void {
    (shared ? this.#sharedQueue : this.#queue).push({
      store: async () => {
        try {
          if (shared) await this.#storeShared(shared);
          else if (isAppStateEntry(entry)) await this.#storeAppState(entry);
          else await this.#storeHistory(entry);
        } catch (error) {
          if (!(error instanceof AccountFileLost)) throw error;
          this.#warn('account data is lost', error);
        }
        if (isAppStateEntry(entry)) await this.#parts.credentials.deleteJournal([entry.id]);
        done();
      },
      setAside: (error) => this.#parts.setAside.row(entry.id, error),
    });
  }

  async #storeAppState(entry: JournalEntry): Promise<void> {
    const { collection, told, begins } = await appliedPatch(entry);
    const { mutations } = decodeProtobuf(proto.SyncdPatch, entry.plaintext);
    const directory = storedLids(this.#parts.keys);
    const notices: SessionNotice[] = [];
    const unreadable: unknown[] = [];
    const decoded = await decodeMutations(mutations, (id) => this.#appStateKey(id));
    await this.#lids?.storeLIDPNMappings(decoded.flatMap(namesOfContact));
    for (const mutation of decoded) {
      await followContactSecret(this.#parts.keys, mutation);
      try {
        const notice = await appStateNotice(mutation, directory);
        if (notice && told === 'news') await this.#report(notice);
        else if (notice) notices.push(notice);
      } catch (error) {
        if (mayPass(error)) throw error;
        unreadable.push(error);
      }
    }
    if (told === 'state') {
      await this.#parts.report({ type: 'account_state', state: { collection, begins, notices } });
    }
    // The others of the patch are told; it is set aside for the sake of this one.
    if (unreadable.length > 0) throw unreadable[0];
  }

  async #fileOfState(file: proto.IExternalBlobReference): Promise<Uint8Array> {
    const opened = await this.#open('app_state', { ...file, fileLength: file.fileSizeBytes });
    try {
      const chunks: Uint8Array[] = [];
      for await (const chunk of (await opened.read()) as AsyncIterable<Uint8Array>) chunks.push(chunk);
      return Buffer.concat(chunks);
    } finally {
      await opened.close();
    }
  }

  async #appStateKey(id: Uint8Array): Promise<Uint8Array | null> {
    const name = Buffer.from(id).toString('base64');
    const found = await this.#parts.keys.get('app-state-sync-key', [name]);
    return found[name]?.keyData ?? null;
  }

  async #storeHistory(entry: JournalEntry): Promise<void> {
    const { own, keys, report, pushNames } = this.#parts;
    const notification = historyNotification(entry, own());
    if (!notification) return;
    const inline = notification.initialHistBootstrapInlinePayload;
    const opened = inline?.length ? null : await this.#open('history', notification);
    const directory = storedLids(keys);
    try {
      await readHistory({
        kind: historyKind(notification),
        progress: notification.progress ?? null,
        open: opened ? () => opened.read() : inlineFile(inline ?? new Uint8Array(0)),
        own,
        directory,
        sink: {
          lidMappings: async (pairs) => this.#lids?.storeLIDPNMappings(pairs),
          pushNames: async (names) => {
            await pushNames.learn(names);
            const people = names.map(async ({ jid, name }) => ({
              person: await identity(jidNormalizedUser(jid), undefined, directory),
              name,
            }));
            await report({ type: 'push_names', names: await Promise.all(people) });
          },
          pastMembers: async (group, members) => {
            const people = members.map(async ({ jid, removed, leftAt }) => ({
              person: await identity(jidNormalizedUser(jid), undefined, directory),
              removed,
              leftAt,
            }));
            await report({ type: 'past_members', group, members: await Promise.all(people) });
          },
          tokens: (tokens) => storeChatTokens(keys, directory, tokens),
          contactSecret: (secret) => storeContactSecret(keys, secret),
          batch: async (batch) => {
            this.#stopping.signal.throwIfAborted();
            await report({ type: 'history', batch });
          },
        },
        tooLong: (field, bytes) => this.#parts.log.warn({ field, bytes }, 'a part of history is too long'),
        unreadable: (error) => this.#parts.setAside.passedOver(error),
      });
    } finally {
      await opened?.close();
    }
  }

  /** What a stranger made of it is passed over: its row is as good as gone. */
  async #storeShared({ bundle, shared, sharedAt }: SharedHistory): Promise<void> {
    const { own, keys, report, setAside } = this.#parts;
    const opened = await this.#open('group_history', bundle);
    const messages: InboundMessage[] = [];
    const send = async (): Promise<void> => {
      this.#stopping.signal.throwIfAborted();
      const batch = { kind: 'shared' as const, shared, progress: null, timers: [], chats: [], contacts: 0 };
      await report({ type: 'history', batch: { ...batch, messages: messages.splice(0) } });
    };
    try {
      const unreadable = (error: unknown): void => setAside.passedOver(error);
      const directory = storedLids(keys);
      const reading = { shared, sharedAt, own, directory, unreadable, open: () => opened.read() };
      for await (const message of readShared(reading)) {
        messages.push(message);
        if (messages.length >= HISTORY_BATCH) await send();
      }
    } catch (error) {
      if (mayPass(error)) throw error;
      setAside.passedOver(error);
    } finally {
      await opened.close();
    }
    if (messages.length > 0) await send();
  }

  async #open(
    kind: 'history' | 'app_state' | 'group_history',
    file: {
      directPath?: string | null;
      mediaKey?: Uint8Array | null;
      fileSha256?: Uint8Array | null;
      fileEncSha256?: Uint8Array | null;
      fileLength?: unknown;
    },
  ) {
    const { files, mediaConnection } = this.#parts;
    if (!files) throw new AccountFileLost('there is no way to the media hosts');
    if (!file.directPath || !file.mediaKey) throw new AccountFileLost('it was announced without a place');
    const wanted = {
      kind,
      directPath: file.directPath,
      mediaKey: file.mediaKey,
      fileSha256: file.fileSha256 ?? null,
      fileEncSha256: file.fileEncSha256 ?? null,
      fileLength: file.fileLength ? Number(file.fileLength) : null,
    };
    const hosts = await this.#unlessStopping(mediaConnection());
    return files.open(wanted, hosts, this.#stopping.signal).catch((error: unknown) => {
      throw error instanceof AccountFileLost ? error : new FileUnreachable(error);
    });
  }

  /** A query under way when the connection ends is answered by the library after a minute. */
  #unlessStopping<T>(query: Promise<T>): Promise<T> {
    const { signal } = this.#stopping;
    return new Promise((resolve, reject) => {
      const stop = (): void => reject(signal.reason);
      if (signal.aborted) stop();
      signal.addEventListener('abort', stop, { once: true });
      query.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
    });
  }

  #report(notice: SessionNotice): Promise<void> {
    return this.#parts.report({ type: 'notice', notice });
  }

  #warn(text: string, error: unknown): void {
    this.#parts.log.warn({ reason: (error as Error).message }, text);
  }
}
