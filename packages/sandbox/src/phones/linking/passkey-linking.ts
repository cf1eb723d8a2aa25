import { createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { Curve, proto } from 'baileys';
import type { PasskeyExchange, Prologue } from '../../link.ts';
import { LinkError } from './host.ts';

const KEY_BYTES = 32;
const NONCE_BYTES = 32;
const TAG_BYTES = 16;
const CODE_BYTES = 5;
/** Crockford's alphabet without 0 (whatsmeow pair-code.go linkingBase32). */
const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTVWXYZ';

/**
 * What the phone's owner does with a code that the phone shows: taps yes without looking, waits to be asked by the
 * test, or taps no. `silent`: the phone says nothing at all.
 */
export const CODE_ANSWERS = ['accept', 'ask', 'refuse', 'silent'] as const;
export type CodeAnswer = (typeof CODE_ANSWERS)[number];

/** The code of a linking, on the screen. */
export interface ShownCode {
  readonly code: string;
  /** The companion has proved that it is the one that was scanned: nobody has to compare anything. */
  readonly proved: boolean;
}

/** What the phone has read off the companion, or agreed on with it by a code. */
export interface ReadCompanion {
  readonly companionIdentityPublic: Uint8Array;
  readonly advSecret: Uint8Array;
}

/**
 * The phone's side of the passkey step, the counterpart of whatsmeow pair-passkey.go. The companion's commitment is
 * held against the nonce that it reveals, its proof against the secret that the phone has read.
 */
export class PhonePasskey {
  codes: CodeAnswer = 'accept';
  #shown: ShownCode | null = null;
  readonly #watchers = new Set<() => void>();
  #decide: ((accepted: boolean) => void) | null = null;

  /** Null while no linking shows one. */
  get shown(): ShownCode | null {
    return this.#shown;
  }

  /** Resolves with the code, now or once it is there; rejects after `timeoutMs`. */
  waitForCode(timeoutMs: number): Promise<ShownCode> {
    if (this.#shown) return Promise.resolve(this.#shown);
    return new Promise((resolve, reject) => {
      const watch = () => {
        if (!this.#shown) return;
        clearTimeout(timer);
        this.#watchers.delete(watch);
        resolve(this.#shown);
      };
      const timer = setTimeout(() => {
        this.#watchers.delete(watch);
        reject(new Error(`the phone showed no code in ${timeoutMs} ms`));
      }, timeoutMs);
      this.#watchers.add(watch);
    });
  }

  /** The owner says whether the companion shows the same code. Throws when nobody is asked. */
  decide(accepted: boolean): void {
    if (!this.#decide) throw new Error('the phone does not ask about a code');
    this.#decide(accepted);
  }

  /**
   * Goes through the step; gives the companion as it named itself, null where it was not asked further. Rejects with
   * `LinkError`.
   */
  async exchange(
    step: PasskeyExchange,
    read: ReadCompanion,
  ): Promise<(ReadCompanion & { ref: string }) | null> {
    const prologue = await step.prologue();
    if (prologue === null) return null;
    const refuse = (reason: string, text: string): never => {
      step.refuse();
      throw new LinkError(reason, text);
    };
    const { identityBytes, hash, identity } = parts(prologue);
    const proved = provedBy(prologue, read.advSecret);
    if (proved === false) refuse('handoff_mismatch', 'the proof is not of the secret that was read');
    // It rejects when the server gives up.
    if (this.codes === 'silent') await step.request();
    const pair = Curve.generateKeyPair();
    const nonce = randomBytes(NONCE_BYTES);
    const revealed = await step.answer(
      proto.PrimaryEphemeralIdentity.encode({ publicKey: pair.public, nonce }).finish(),
    );
    if (revealed.length !== NONCE_BYTES || !hash.equals(sha256(identityBytes, revealed))) {
      refuse('commitment_mismatch', 'the companion has committed to another nonce');
    }
    try {
      this.#show({ code: codeOf(nonce, revealed, pair.public), proved: proved === true });
      if (proved === null && !(await this.#accepted())) refuse('passkey_refused', 'the owner tapped no');
      const sealed = await step.request();
      const request = opened(sealed, Curve.sharedKey(pair.private, identity.publicKey), identity);
      if (Buffer.compare(request.companionIdentityPublic, read.companionIdentityPublic) !== 0) {
        refuse('identity_mismatch', 'the companion has named another identity than was read');
      }
      return { ref: identity.ref, ...request };
    } finally {
      this.#show(null);
    }
  }

  #accepted(): Promise<boolean> {
    if (this.codes !== 'ask') return Promise.resolve(this.codes === 'accept');
    return new Promise((resolve) => {
      this.#decide = (accepted) => {
        this.#decide = null;
        resolve(accepted);
      };
    });
  }

  #show(shown: ShownCode | null): void {
    this.#shown = shown;
    for (const watch of [...this.#watchers]) watch();
  }
}

interface CompanionIdentity {
  readonly publicKey: Uint8Array;
  readonly deviceType: number;
  readonly ref: string;
}

function parts({ payload }: Prologue): {
  identityBytes: Uint8Array;
  hash: Buffer;
  identity: CompanionIdentity;
} {
  const { companionEphemeralIdentity, commitment } = proto.ProloguePayload.decode(payload);
  const identityBytes = companionEphemeralIdentity ?? new Uint8Array();
  const { publicKey, deviceType, ref } = proto.CompanionEphemeralIdentity.decode(identityBytes);
  return {
    identityBytes,
    hash: Buffer.from(commitment?.hash ?? []),
    identity: { publicKey: publicKey ?? new Uint8Array(), deviceType: deviceType ?? 0, ref: ref ?? '' },
  };
}

/** Null: the companion proves nothing. */
function provedBy({ payload, handoffProof }: Prologue, advSecret: Uint8Array): boolean | null {
  if (handoffProof === null) return null;
  const key = hkdf(advSecret, Buffer.alloc(KEY_BYTES), 'shortcake-passkey-handoff-v1');
  return createHmac('sha256', key).update(payload).digest().equals(handoffProof);
}

/** `XXXX-XXXX`: the first 40 bits of the nonce, mixed with what the companion had bound itself to. */
function codeOf(nonce: Uint8Array, companionNonce: Uint8Array, publicKey: Uint8Array): string {
  const digest = sha256(companionNonce, publicKey);
  const bits = Array.from({ length: CODE_BYTES }, (_, at) =>
    ((nonce[at] ?? 0) ^ (digest[at] ?? 0)).toString(2).padStart(8, '0'),
  ).join('');
  const digits = (bits.match(/.{5}/g) ?? []).map((each) => ALPHABET[Number.parseInt(each, 2)]).join('');
  return `${digits.slice(0, 4)}-${digits.slice(4)}`;
}

function opened(
  sealed: Uint8Array,
  shared: Uint8Array,
  { deviceType, ref }: CompanionIdentity,
): ReadCompanion {
  const salt = Buffer.from(`Companion Pairing ${deviceType} with ref ${ref}`);
  const key = hkdf(shared, salt, 'Pairing Information Encryption Key');
  try {
    const { encryptedPayload, iv } = proto.EncryptedPairingRequest.decode(sealed);
    const bytes = Buffer.from(encryptedPayload ?? []);
    const decipher = createDecipheriv('aes-256-gcm', key, iv ?? new Uint8Array());
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    const plain = Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]);
    const { companionIdentityKey, advSecret, companionPublicKey } = proto.PairingRequest.decode(plain);
    if (companionPublicKey?.length !== KEY_BYTES) throw new Error('no Noise key');
    if (companionIdentityKey?.length !== KEY_BYTES || advSecret?.length !== KEY_BYTES) {
      throw new Error('no identity or no secret');
    }
    return { companionIdentityPublic: companionIdentityKey, advSecret };
  } catch {
    throw new LinkError('pairing_request_unreadable', 'what the companion has sealed cannot be opened');
  }
}

/** RFC 5869; without a salt it is as many zeros as the hash has bytes. */
function hkdf(secret: Uint8Array, salt: Uint8Array, info: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, info, KEY_BYTES));
}

function sha256(...data: Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const each of data) hash.update(each);
  return hash.digest();
}
