import { randomBytes } from 'node:crypto';
import { RequestRefused, SessionFailed } from '../../port/errors.ts';
import type { PasskeyAnswer, PasskeyRequestOptions, SessionPasskey } from '../../port/passkey.ts';
import type { Link } from '../connection/link.ts';
import {
  type BinaryNode,
  getBinaryNodeChild,
  getBinaryNodeChildBuffer,
  proto,
  type Socket,
} from '../library.ts';
import { decodeProtobuf } from '../parse/bounded-protobuf.ts';
import {
  type EphemeralPair,
  ephemeralPair,
  handoffKey,
  handoffProof,
  type PrimaryIdentity,
  pairingKey,
  prologuePayload,
  sealedPairingRequest,
  verificationCode,
} from './passkey-crypto.ts';
import { optionsIn } from './passkey-options.ts';

/** How long the phone takes the proof of the secret that it has read (whatsmeow pair-passkey.go passkeyHandoffKey). */
const HANDOFF_MS = 5 * 60_000;
const SECRET_BYTES = 32;
const NONCE_BYTES = 32;
const IV_BYTES = 12;
/** An answer without what was asked for is the server's failure. */
const NO_REFERENCE = 500;
const SERVER = '@s.whatsapp.net';

export interface PasskeyLinkingParts {
  link: Link;
  deviceType: proto.DeviceProps.PlatformType;
  /** Stores the credentials; nothing that leaves later leaves before that. */
  save(): void;
  /** No QR is shown any more, and the attempt does not end with the last one. */
  holdQr(): void;
}

/** What the phone was told of this device, and what was agreed with it. */
interface Attempt {
  readonly pair: EphemeralPair;
  readonly nonce: Buffer;
  readonly ref: string;
  readonly codeRequired: boolean;
  /** The phone has answered: the nonce is revealed once, or the phone could try keys until the code suits it. */
  revealed: boolean;
  key: Buffer | null;
}

/**
 * The device's side of the passkey step ("Shortcake", CRSC), as whatsmeow pair-passkey.go has it: the server asks for a
 * signature, the phone and the device agree on a key by commitment and reveal, and the device's keys go to the phone
 * sealed under it. The ordinary `pair-success` follows.
 */
export class PasskeyLinking implements SessionPasskey {
  readonly #parts: PasskeyLinkingParts;
  #handoff: { readonly key: Buffer; readonly madeAt: number } | null = null;
  /** The secret that was made for this step: no phone has read it anywhere. */
  #ownSecret: string | null = null;
  /** The one before it, which a phone may have read. */
  #readSecret: string | null = null;
  /** The phone has been sent the new one. */
  #told = false;
  #attempt: Attempt | null = null;

  constructor(parts: PasskeyLinkingParts) {
    this.#parts = parts;
  }

  attach({ ws }: Socket): void {
    ws.on('CB:notification,type:passkey_prologue_request', (node: BinaryNode) =>
      this.#taken(node, () => this.#asked(node)),
    );
    ws.prependListener('CB:iq,,pair-success', () => this.#linkedWithout());
    ws.on('CB:notification,type:crsc_continuation', (node: BinaryNode) =>
      this.#taken(node, () => this.#continued(node)),
    );
  }

  async answer({ credentialId, json }: PasskeyAnswer): Promise<void> {
    const ref = await this.#ref();
    const { deviceType, link } = this.#parts;
    const pair = ephemeralPair();
    const nonce = randomBytes(NONCE_BYTES);
    const prologue = prologuePayload({ publicKey: pair.publicKey, deviceType, ref, nonce });
    const handoff = this.#handoff;
    const proves = handoff !== null && link.clock.monotonic() - handoff.madeAt < HANDOFF_MS;
    // Before it is sent: the phone's answer may come before the server's.
    this.#attempt = { pair, nonce, ref, codeRequired: !proves, revealed: false, key: null };
    await this.#ask('set', {
      tag: 'passkey_prologue',
      attrs: {},
      content: [
        leaf('credential_id', credentialId),
        leaf('webauthn_assertion', Buffer.from(json)),
        leaf('prologue_payload', prologue),
        ...(proves ? [leaf('pairing_handoff_proof', handoffProof(handoff.key, prologue))] : []),
      ],
    });
  }

  async confirm(): Promise<void> {
    const { creds } = this.#parts.link;
    const key = this.#attempt?.key;
    if (!key) throw new SessionFailed(new Error('there is no key to seal the pairing request with'));
    const request = proto.PairingRequest.encode({
      companionPublicKey: creds.noiseKey.public,
      companionIdentityKey: creds.signedIdentityKey.public,
      advSecret: Buffer.from(creds.advSecretKey, 'base64'),
    }).finish();
    this.#told = true;
    await this.#ask(
      'set',
      leaf('encrypted_pairing_request', sealedPairingRequest(key, randomBytes(IV_BYTES), request)),
    );
  }

  /** Anybody may be made to send a notification; only the server is asked and answered here. */
  #taken(node: BinaryNode, take: () => Promise<void>): void {
    const { link } = this.#parts;
    if (node.attrs.from !== SERVER && node.attrs.from !== SERVER.slice(1)) {
      link.warnOf({ type: node.attrs.type }, 'a passkey notification was not of the server');
      return;
    }
    if (link.creds.account) {
      link.warnOf({ type: node.attrs.type }, 'the server asks a linked device for a passkey');
      return;
    }
    take().catch((error: unknown) => {
      const detail = error instanceof Error ? error.message : String(error);
      void link.report({ type: 'passkey_failed', refused: error instanceof RequestRefused, detail });
    });
  }

  async #asked(node: BinaryNode): Promise<void> {
    const { link, save, holdQr } = this.#parts;
    holdQr();
    this.#attempt = null;
    this.#rotateSecret();
    save();
    const options = optionsIn(node) ?? (await this.#fetchedOptions());
    if (options === null) throw new Error('the request options cannot be read');
    await link.report({ type: 'passkey_required', options });
  }

  /** Whatever it is refused for: without options nobody can sign. */
  async #fetchedOptions(): Promise<PasskeyRequestOptions | null> {
    try {
      return optionsIn(await this.#ask('get', { tag: 'passkey_request_options', attrs: {} }));
    } catch {
      return null;
    }
  }

  /**
   * The phone knows the secret it has read; the next one goes to it sealed. Asked once more, the server still speaks
   * of that phone, which knows nothing of the secret that was made here since.
   */
  #rotateSecret(): void {
    const { creds, clock } = this.#parts.link;
    if (creds.advSecretKey === this.#ownSecret) return;
    const key = handoffKey(Buffer.from(creds.advSecretKey, 'base64'));
    this.#handoff = { key, madeAt: clock.monotonic() };
    this.#readSecret = creds.advSecretKey;
    this.#told = false;
    this.#ownSecret = randomBytes(SECRET_BYTES).toString('base64');
    creds.advSecretKey = this.#ownSecret;
  }

  /** The phone links all the same, by the secret that it has read: it was never told of another. */
  #linkedWithout(): void {
    const { creds } = this.#parts.link;
    const own = creds.advSecretKey === this.#ownSecret;
    if (own && !this.#told && this.#readSecret !== null) creds.advSecretKey = this.#readSecret;
  }

  async #continued(node: BinaryNode): Promise<void> {
    const { link, deviceType } = this.#parts;
    const attempt = this.#attempt;
    if (!attempt || attempt.revealed) {
      link.warnOf({}, 'the phone goes on with a passkey step that is not under way');
      return;
    }
    attempt.revealed = true;
    const primary = primaryIn(node);
    const { pair, ref, nonce, codeRequired } = attempt;
    const key = pairingKey({
      privateKey: pair.privateKey,
      primaryPublicKey: primary.publicKey,
      deviceType,
      ref,
    });
    await this.#ask('set', leaf('companion_nonce', nonce));
    if (this.#attempt !== attempt) return;
    attempt.key = key;
    const code = verificationCode(nonce, primary);
    await link.report({ type: 'passkey_code', code, codeRequired });
    if (!codeRequired) await this.confirm();
  }

  async #ref(): Promise<string> {
    const answer = await this.#ask('get', { tag: 'ref', attrs: {} });
    const ref = getBinaryNodeChildBuffer(answer, 'ref');
    if (!ref) throw new RequestRefused(NO_REFERENCE, 'the server gave no reference');
    return Buffer.from(ref).toString('utf8');
  }

  #ask(type: 'get' | 'set', question: BinaryNode): Promise<BinaryNode> {
    return this.#parts.link.askUnopened((socket) =>
      socket.query({ tag: 'iq', attrs: { to: SERVER, type, xmlns: 'md' }, content: [question] }),
    );
  }
}

function leaf(tag: string, content: Uint8Array): BinaryNode {
  return { tag, attrs: {}, content };
}

function primaryIn(node: BinaryNode): PrimaryIdentity {
  const child = getBinaryNodeChild(node, 'primary_ephemeral_identity');
  const { publicKey, nonce } = decodeProtobuf(
    proto.PrimaryEphemeralIdentity,
    child?.content instanceof Uint8Array ? child.content : new Uint8Array(),
  );
  if (publicKey?.length !== SECRET_BYTES || nonce?.length !== NONCE_BYTES) {
    throw new Error('the phone sent no key and nonce of 32 bytes');
  }
  return { publicKey, nonce };
}
