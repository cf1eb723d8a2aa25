import type { BinaryNode } from 'baileys';
import { removeCompanion } from './accounts/remove-companion.ts';
import type { Network } from './network/network.ts';
import type { Account, RegisteredDevice } from './state/directory.ts';
import type { CertificateForgery, FaultOrders, SenderFilter } from './state/fault-orders.ts';
import { failureStanza, streamErrorStanza } from './wire/endings.ts';

/** A stream error by name or by the `code` attribute of `<stream:error>`. */
export type StreamErrorKind = 'replaced' | 'logged_out' | 'banned' | 'outdated' | number;

/**
 * What goes wrong, on order. Each method acts once (or the given number of times) and says what the
 * network does from then on.
 */
export class Faults {
  readonly #network: Network;
  readonly #orders: FaultOrders;

  constructor(network: Network) {
    this.#network = network;
    this.#orders = network.orders;
  }

  /**
   * Ends a device's stream. `replaced`: another login took its place. `logged_out`: the device is removed
   * from the account (401, `device_removed`), later logins fail with 401. `banned` and `outdated`:
   * `<failure>` 403 and 405, as on login. A number: that code, such as 503 (restart) or 515.
   * Throws when the device is not attached.
   */
  streamError(deviceJid: string, kind: StreamErrorKind): void {
    if (kind === 'banned') this.failure(deviceJid, 403);
    else if (kind === 'outdated') this.failure(deviceJid, 405);
    else if (kind === 'logged_out') removeCompanion(this.#network, this.#attached(deviceJid));
    else this.#network.delivery.end(this.#attached(deviceJid), streamErrorStanza(kind));
  }

  /** Sends `<failure reason=…>` and closes. Throws when the device is not attached. */
  failure(deviceJid: string, reason: number): void {
    this.#network.delivery.end(this.#attached(deviceJid), failureStanza(reason));
  }

  /** Closes a device's connection without a word. Throws when the device is not attached. */
  drop(deviceJid: string): void {
    this.#network.delivery.end(this.#attached(deviceJid));
  }

  /**
   * Ends a device's stream over the oldest stanza that it has not acknowledged, as the real server does after some
   * 50 minutes; false when there is none. Throws when the device is not attached.
   */
  demandAcknowledgement(deviceJid: string): boolean {
    return this.#network.delivery.demandAcknowledgement(this.#attached(deviceJid));
  }

  /**
   * The next stanza to a device breaks off in the middle of its bytes, and the connection with it. A stanza
   * that is kept until it is acknowledged comes again. Throws when the device is not attached.
   */
  tearNext(deviceJid: string): void {
    const { link } = this.#attached(deviceJid).mailbox;
    if (link) this.#orders.tearNext(link);
  }

  /**
   * The next message that a companion sends is refused: its ack carries this error (463, 479, …) and it
   * goes nowhere. Phones are left alone: after linking they send protocol messages of their own; so are
   * peer messages between an account's devices.
   */
  nextAckError(code: number, from: SenderFilter = {}): void {
    this.#orders.orderAck(code, from);
  }

  /**
   * The account may begin no chats for so many seconds; without a number, until it is lifted. Its companions
   * are told.
   */
  restrictNewChats(number: string, options: { seconds?: number; type?: string } = {}): void {
    const { seconds, type = 'BIZ_QUALITY' } = options;
    const endsAt = seconds === undefined ? null : Math.ceil(Date.now() / 1000) + seconds;
    this.#network.reachOut.lock(this.#account(number), { endsAt, type });
  }

  /** Ends the restriction, and tells the companions. */
  liftRestriction(number: string): void {
    this.#network.reachOut.lift(this.#account(number));
  }

  /** The next messages that companions send are routed but not acknowledged to them. */
  silenceAck(times = 1, from: SenderFilter = {}): void {
    for (let n = 0; n < times; n += 1) this.#orders.orderAck('silence', from);
  }

  /**
   * From now on questions of companions (`<iq>`, all or those of one `xmlns`) are answered with this error, or not
   * at all; the first `after` of them as ever. Null ends it. Nothing of what they ask is done. Pings are answered all
   * the same.
   */
  refuseQuestions(code: number | 'silence' | null, options: { xmlns?: string; after?: number } = {}): void {
    this.#orders.refuseQuestions(code === null ? null : { ...options, code });
  }

  /**
   * From now on companions get the answers to their questions (`<iq type="result">`) as `change` makes them: what the
   * server says that nobody knows yet. Null ends it.
   */
  changeAnswers(change: ((answer: BinaryNode) => BinaryNode) | null): void {
    this.#orders.answersChanged = change;
  }

  /** What the next question of a companion (`<iq>`) that fits asks for is done, and its answer lost. */
  loseAnswer(fits: (question: BinaryNode) => boolean): void {
    this.#orders.loseAnswer(fits);
  }

  /** Companions get no collection of app state, each refused within the answer (whatsmeow appstate.go); null lifts it. */
  refuseCollections(code: number | null): void {
    this.#orders.collectionRefusal = code;
  }

  /** The `xmlns` of each question that was refused or left unanswered since the last `clear`. */
  get questionsRefused(): readonly string[] {
    return [...this.#orders.questionsRefused];
  }

  /**
   * The next logins of a number's companions end in `<failure reason=code>`; 0 times lifts it. `attrs`: its further
   * attributes, such as `code` and `expire` of a ban for a time (402: whatsmeow connectionevents.go
   * handleConnectFailure).
   */
  refuseLogin(
    code: number,
    options: { number: string; times?: number; attrs?: Readonly<Partial<Record<string, string>>> },
  ): void {
    const { number, times = Number.POSITIVE_INFINITY, attrs = {} } = options;
    this.#orders.refuseLogins(number, { code, attrs }, times);
  }

  /**
   * The next ones who connect to be linked get `<failure reason=code>` in the place of a QR, as clients that are too old
   * do (405: whatsmeow issue 1040, wuzapi issue 14); 0 times lifts it.
   */
  refuseRegistration(code: number, times = 1): void {
    this.#orders.refuseRegistrations(code, times);
  }

  get latencyMs(): number {
    return this.#orders.latencyMs;
  }

  /** Delays every stanza to devices; 0 ends it. */
  setLatency(ms: number): void {
    this.#orders.latencyMs = Math.max(0, ms);
  }

  /**
   * The device hears nothing any more, answers to its pings included, while its connection stays up: what a
   * dead route looks like. Throws when the device is not attached.
   */
  silence(deviceJid: string): void {
    const { link } = this.#attached(deviceJid).mailbox;
    if (link) this.#orders.silence(link);
  }

  /** Ends a silence: what was held back arrives now, in its order. */
  resume(deviceJid: string): void {
    const { link } = this.#attached(deviceJid).mailbox;
    if (!link) return;
    for (const node of this.#orders.resume(link)) link.deliver(node);
  }

  /**
   * What the account writes to others names it as it was addressed, by number or by LID, and not by the other name
   * beside it; companions that ask for its LID hear nothing. `false` ends it. Clients read the other name only
   * where it is (whatsmeow message.go parseMessageSource).
   */
  hideOtherName(number: string, hidden = true): void {
    const { user } = this.#account(number);
    if (hidden) this.#orders.hidingOtherName.add(user);
    else this.#orders.hidingOtherName.delete(user);
  }

  /**
   * Companions reach the account by its LID alone: what they send to its number is refused with 463 (OpenWA pull
   * request 717, Baileys issue 2683). `false` ends it.
   */
  moveToLid(number: string, moved = true): void {
    const { user } = this.#account(number);
    if (moved) this.#orders.reachedByLid.add(user);
    else this.#orders.reachedByLid.delete(user);
  }

  /**
   * The account's own chats are not moved to LIDs: what its companions send to one is refused with 400 (whatsapp-rust
   * issue 941). `false` ends it.
   */
  keepOnNumbers(number: string, kept = true): void {
    const { user } = this.#account(number);
    if (kept) this.#orders.notMoved.add(user);
    else this.#orders.notMoved.delete(user);
  }

  /**
   * Who asks for keys of the account's devices gets an `<error>` in their place, as for one that has uploaded none
   * (whatsmeow prekeys.go nodeToPreKeyBundle reads it). `false` ends it.
   */
  withholdKeys(number: string, withheld = true): void {
    const { user } = this.#account(number);
    if (withheld) this.#orders.withoutKeys.add(user);
    else this.#orders.withoutKeys.delete(user);
  }

  /**
   * Companions that ask for keys of the account's devices, or get them with a retry receipt, get a signed pre-key of
   * somebody else under the signature of the account's own. `false` ends it.
   */
  forgeKeys(number: string, forged = true): void {
    const { user } = this.#account(number);
    if (forged) this.#orders.withForgedKeys.add(user);
    else this.#orders.withForgedKeys.delete(user);
  }

  /** Who is linked to the account from now on gets a signature in the account's name that is not its own. */
  forgeLinking(number: string, forged = true): void {
    const { user } = this.#account(number);
    if (forged) this.#orders.linkedByForgery.add(user);
    else this.#orders.linkedByForgery.delete(user);
  }

  /**
   * Who connects from now on is shown other certificates: of a network of its own (`another_root`), or the genuine ones
   * by a server that has not the key which they are for (`another_key`). Null ends it.
   */
  forgeCertificate(how: CertificateForgery | null): void {
    this.#orders.certificateForgery = how;
  }

  /** From now on a group takes no more members than this. Throws for one that is none. */
  limitMembers(groupJid: string, members: number): void {
    const group = this.#network.groups.get(groupJid);
    if (!group) throw new Error(`${groupJid} is no group`);
    group.memberLimit = members;
  }

  /** Forgets every order that is still open. */
  clear(): void {
    this.#orders.clear();
  }

  #account(number: string): Account {
    const account = this.#network.directory.resolve(`${number}@s.whatsapp.net`);
    if (!account) throw new Error(`${number} is nobody's number`);
    return account;
  }

  #attached(deviceJid: string): RegisteredDevice {
    const device = this.#network.directory.resolveDevice(deviceJid);
    if (!device?.mailbox.link) throw new Error(`${deviceJid} is not attached`);
    return device;
  }
}
