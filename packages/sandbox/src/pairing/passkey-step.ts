import { randomBytes } from 'node:crypto';
import { type BinaryNode, proto } from 'baileys';
import type { PasskeyExchange, Prologue } from '../link.ts';
import type { AccountPasskeys } from '../state/passkeys.ts';
import { bytesOf, childNamed, SERVER_JID, stanza, timestamp } from '../wire/stanza.ts';
import { iqError, iqResult } from './answers.ts';
import { holds, type RequestOptions, requestOptions } from './passkey-verification.ts';

const KEY_BYTES = 32;

export interface PasskeyStepParts {
  readonly passkeys: AccountPasskeys;
  deliver(node: BinaryNode): void;
  nextId(): string;
  /** A notification that has to be acknowledged. */
  sent(id: string): void;
  /** The companion was given a reference by which it can be linked. */
  referenced(ref: string): void;
  /** The step's time is over, or the phone has refused: the connection ends. */
  close(): void;
  ended(reason: 'passkey_expired' | 'passkey_refused' | 'companion_gone'): Error;
}

type Stage = 'asked' | 'verifying' | 'prologue' | 'continued' | 'revealed' | 'requested' | 'over';

/**
 * The server between a companion and a phone that wants a passkey first ("Shortcake", CRSC). The companion's side is
 * whatsmeow pair-passkey.go. What the real server answers to what is wrong is not public; it refuses here with 400
 * (not readable), 403 (not allowed) and 409 (not now).
 */
export class PasskeyStep implements PasskeyExchange {
  readonly #parts: PasskeyStepParts;
  readonly #options: RequestOptions;
  readonly #prologue = deferred<Prologue | null>();
  readonly #nonce = deferred<Uint8Array>();
  readonly #request = deferred<Uint8Array>();
  readonly #timer: NodeJS.Timeout;
  #offer: NodeJS.Timeout | undefined;
  #stage: Stage = 'asked';
  #refused = false;
  #ignored = false;
  /** Of the companion, which it has to repeat in its prologue. */
  ref: string | undefined;

  constructor(parts: PasskeyStepParts) {
    this.#parts = parts;
    this.#options = requestOptions(parts.passkeys);
    const { timeoutMs, demand, offerMs } = parts.passkeys.policy;
    this.#timer = setTimeout(() => this.#close('passkey_expired'), timeoutMs);
    this.#timer.unref();
    if (demand === 'offered') {
      this.#offer = setTimeout(() => this.#lapse(), offerMs);
      this.#offer.unref();
    }
    // Who waits for one of them hears of the end; nobody may wait for the others.
    for (const { promise } of [this.#prologue, this.#nonce, this.#request]) promise.catch(() => undefined);
  }

  get over(): boolean {
    return this.#stage === 'over';
  }

  /** It was offered, and the companion has said nothing. */
  get ignored(): boolean {
    return this.#ignored;
  }

  begin(): void {
    const embedded = this.#parts.passkeys.policy.embedded ? [this.#optionsNode()] : [];
    this.#notify('passkey_prologue_request', embedded);
  }

  prologue(): Promise<Prologue | null> {
    return this.#prologue.promise;
  }

  answer(primary: Uint8Array): Promise<Uint8Array> {
    this.#stage = 'continued';
    this.#notify('crsc_continuation', [stanza('primary_ephemeral_identity', {}, primary)]);
    return this.#nonce.promise;
  }

  request(): Promise<Uint8Array> {
    return this.#request.promise;
  }

  refuse(): void {
    this.#refused = true;
    // Who has said its last word waits for no answer any more.
    if (this.#stage === 'requested') this.#close('passkey_refused');
  }

  /** The companion was linked, or its connection has ended. */
  end(): void {
    this.#end('companion_gone');
  }

  /** Answers a question of the companion; undefined when it is about something else. */
  receive(iq: BinaryNode): Promise<BinaryNode> | undefined {
    const [question] = Array.isArray(iq.content) ? iq.content : [];
    if (iq.attrs.xmlns !== 'md' || !question) return undefined;
    const { type } = iq.attrs;
    const content = bytesOf(question);
    switch (`${type} ${question.tag}`) {
      case 'get passkey_request_options':
        return Promise.resolve(iqResult(iq, [this.#optionsNode()]));
      case 'get ref':
        return Promise.resolve(iqResult(iq, [this.#reference()]));
      case 'set passkey_prologue':
        return this.#takePrologue(iq, question);
      case 'set companion_nonce':
        return this.#takeInTurn(iq, content, {
          from: 'continued',
          to: 'revealed',
          take: this.#nonce.resolve,
        });
      case 'set encrypted_pairing_request':
        return this.#takeInTurn(iq, content, {
          from: 'revealed',
          to: 'requested',
          take: this.#request.resolve,
        });
      default:
        return undefined;
    }
  }

  async #takePrologue(iq: BinaryNode, question: BinaryNode): Promise<BinaryNode> {
    if (this.#stage !== 'asked') return refusal(iq, 409);
    const credentialId = bytesOf(childNamed(question, 'credential_id'));
    const assertion = bytesOf(childNamed(question, 'webauthn_assertion'));
    const payload = bytesOf(childNamed(question, 'prologue_payload'));
    const handoffProof = bytesOf(childNamed(question, 'pairing_handoff_proof')) ?? null;
    if (!credentialId || !assertion || !payload || !this.#fits(payload)) return refusal(iq, 400);
    this.#stage = 'verifying';
    const { passkeys } = this.#parts;
    const verified = await holds(passkeys, this.#options.challenge, credentialId, assertion);
    if (this.#stage !== 'verifying') return refusal(iq, 409);
    if (!verified) {
      this.#stage = 'asked';
      return refusal(iq, 403);
    }
    clearTimeout(this.#offer);
    this.#stage = 'prologue';
    this.#afterAnswer(() => this.#prologue.resolve({ payload, handoffProof }));
    return iqResult(iq);
  }

  /**
   * Whether the prologue is whole, and of the companion that was given the reference. Its platform may be any: that of
   * whatsmeow is UNKNOWN unless somebody sets it.
   */
  #fits(payload: Uint8Array): boolean {
    try {
      const { companionEphemeralIdentity, commitment } = proto.ProloguePayload.decode(payload);
      const identity = proto.CompanionEphemeralIdentity.decode(
        companionEphemeralIdentity ?? new Uint8Array(),
      );
      return (
        this.ref !== undefined &&
        identity.ref === this.ref &&
        identity.publicKey?.length === KEY_BYTES &&
        commitment?.hash?.length === KEY_BYTES
      );
    } catch {
      return false;
    }
  }

  async #takeInTurn(
    iq: BinaryNode,
    content: Uint8Array | undefined,
    { from, to, take }: { from: Stage; to: Stage; take: (content: Uint8Array) => void },
  ): Promise<BinaryNode> {
    if (this.#stage !== from) return refusal(iq, 409);
    if (!content) return refusal(iq, 400);
    if (this.#refused) return refusal(iq, 403);
    this.#stage = to;
    this.#afterAnswer(() => take(content));
    return iqResult(iq);
  }

  /** The companion hears the server first, then what the phone makes of it. */
  #afterAnswer(run: () => void): void {
    setImmediate(run);
  }

  #reference(): BinaryNode {
    this.ref = `2@${randomBytes(48).toString('base64')}`;
    this.#parts.referenced(this.ref);
    return stanza('ref', {}, Buffer.from(this.ref));
  }

  #optionsNode(): BinaryNode {
    return stanza('passkey_request_options', {}, Buffer.from(this.#options.json));
  }

  #notify(type: string, content: BinaryNode[]): void {
    const id = this.#parts.nextId();
    this.#parts.sent(id);
    this.#parts.deliver(stanza('notification', { from: SERVER_JID, type, id, t: timestamp() }, content));
  }

  #lapse(): void {
    if (this.#stage !== 'asked') return;
    this.#ignored = true;
    this.#prologue.resolve(null);
    this.end();
  }

  #close(reason: Parameters<PasskeyStepParts['ended']>[0]): void {
    this.#end(reason);
    this.#parts.close();
  }

  #end(reason: Parameters<PasskeyStepParts['ended']>[0]): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#offer);
    this.#stage = 'over';
    const error = this.#parts.ended(reason);
    for (const { reject } of [this.#prologue, this.#nonce, this.#request]) reject(error);
  }
}

const TEXTS = { 400: 'bad-request', 403: 'forbidden', 409: 'conflict' } as const;

function refusal(iq: BinaryNode, code: keyof typeof TEXTS): BinaryNode {
  return iqError(iq, code, TEXTS[code]);
}

function deferred<T>() {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((...settle) => {
    [resolve, reject] = settle;
  });
  return { promise, resolve, reject };
}
