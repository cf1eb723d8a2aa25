import { createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import {
  aesDecryptCTR,
  aesEncryptCTR,
  type BinaryNode,
  Curve,
  derivePairingCodeKey,
  getBinaryNodeChild,
  getBinaryNodeChildBuffer,
  type KeyPair,
} from 'baileys';
import type { PhoneConnection } from '../connection.ts';
import { LinkError } from './host.ts';

const SALT_BYTES = 32;
const CTR_IV_BYTES = 16;
const GCM_IV_BYTES = 12;
const TAG_BYTES = 16;
/** A person has some minutes; a test that forgot to request the code should learn so sooner. */
const STAGE_TIMEOUT_MS = 30_000;

export interface CompanionByCode {
  readonly ref: string;
  readonly companionIdentityPublic: Buffer;
  readonly advSecret: Buffer;
}

type Stage = 'companion_hello' | 'companion_finish';

/** Text content may have come as bytes. */
function text(node: BinaryNode | undefined, tag: string): string {
  const content = getBinaryNodeChild(node, tag)?.content;
  return typeof content === 'string'
    ? content
    : Buffer.from((content as Uint8Array | undefined) ?? []).toString();
}

function bytes(node: BinaryNode | undefined, tag: string): Buffer {
  const content = getBinaryNodeChildBuffer(node, tag);
  if (!content) throw new LinkError('invalid_stanza', `the notification has no <${tag}>`);
  return Buffer.from(content);
}

/**
 * The phone's side of linking by code (`link_code_companion_reg`). The companion's side, which this must
 * match, is whatsmeow pair-code.go and Baileys requestPairingCode / handleNotification.
 */
export class PairCodeLinking {
  readonly #connection: PhoneConnection;
  readonly #identity: KeyPair;
  readonly #jid: string;
  readonly #arrived = new Map<Stage, BinaryNode>();
  readonly #waiting = new Map<Stage, (node: BinaryNode) => void>();

  constructor(connection: PhoneConnection, identity: KeyPair, jid: string) {
    this.#connection = connection;
    this.#identity = identity;
    this.#jid = jid;
  }

  /** Takes a `<notification type="link_code_companion_reg">`. */
  take(notification: BinaryNode): void {
    const node = getBinaryNodeChild(notification, 'link_code_companion_reg');
    if (!node) return;
    const stage: Stage =
      node.attrs.stage === 'companion_finish' ||
      getBinaryNodeChild(node, 'link_code_pairing_wrapped_key_bundle')
        ? 'companion_finish'
        : 'companion_hello';
    const waiting = this.#waiting.get(stage);
    this.#waiting.delete(stage);
    if (waiting) waiting(node);
    else this.#arrived.set(stage, node);
  }

  /** Runs the exchange with the code a person typed. Rejects with {@link LinkError} `wrong_code` or `no_companion`. */
  async exchange(code: string): Promise<CompanionByCode> {
    const typed = code.replace(/[^0-9a-z]/gi, '').toUpperCase();
    if (typed.length !== 8) throw new LinkError('invalid_code', 'a linking code has eight characters');
    const hello = await this.#stage('companion_hello');
    const ref = text(hello, 'link_code_pairing_ref');
    const wrapped = bytes(hello, 'link_code_pairing_wrapped_companion_ephemeral_pub');
    const companionKey = await derivePairingCodeKey(typed, wrapped.subarray(0, SALT_BYTES));
    const companionEphemeral = aesDecryptCTR(
      wrapped.subarray(SALT_BYTES + CTR_IV_BYTES),
      companionKey,
      wrapped.subarray(SALT_BYTES, SALT_BYTES + CTR_IV_BYTES),
    );
    const ephemeral = Curve.generateKeyPair();
    this.#arrived.delete('companion_finish');
    await this.#connection.query({
      tag: 'iq',
      attrs: { to: '@s.whatsapp.net', type: 'set', xmlns: 'md' },
      content: [
        {
          tag: 'link_code_companion_reg',
          attrs: { jid: this.#jid, stage: 'primary_hello' },
          content: [
            {
              tag: 'link_code_pairing_wrapped_primary_ephemeral_pub',
              attrs: {},
              content: await this.#wrap(typed, ephemeral.public),
            },
            { tag: 'primary_identity_pub', attrs: {}, content: this.#identity.public },
            { tag: 'link_code_pairing_ref', attrs: {}, content: Buffer.from(ref) },
          ],
        },
      ],
    });
    const finish = await this.#stage('companion_finish');
    const shared = Curve.sharedKey(ephemeral.private, companionEphemeral);
    return { ref, ...this.#openBundle(bytes(finish, 'link_code_pairing_wrapped_key_bundle'), shared) };
  }

  async #wrap(code: string, publicKey: Uint8Array): Promise<Buffer> {
    const salt = randomBytes(SALT_BYTES);
    const iv = randomBytes(CTR_IV_BYTES);
    const key = await derivePairingCodeKey(code, salt);
    return Buffer.concat([salt, iv, aesEncryptCTR(publicKey, key, iv)]);
  }

  #openBundle(bundle: Buffer, shared: Uint8Array): Omit<CompanionByCode, 'ref'> {
    const salt = bundle.subarray(0, SALT_BYTES);
    const iv = bundle.subarray(SALT_BYTES, SALT_BYTES + GCM_IV_BYTES);
    const sealed = bundle.subarray(SALT_BYTES + GCM_IV_BYTES);
    const info = 'link_code_pairing_key_bundle_encryption_key';
    const key = Buffer.from(hkdfSync('sha256', shared, salt, info, 32));
    let plain: Buffer;
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, iv);
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
      plain = Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]);
    } catch {
      // Typed wrong, both sides derived different keys; this is where it shows.
      throw new LinkError('wrong_code', 'the companion shows another code');
    }
    const companionIdentityPublic = plain.subarray(0, 32);
    if (!plain.subarray(32, 64).equals(this.#identity.public)) {
      throw new LinkError('identity_mismatch', 'the companion saw another primary identity');
    }
    const identityShared = Curve.sharedKey(this.#identity.private, companionIdentityPublic);
    const secret = Buffer.concat([shared, identityShared, plain.subarray(64, 96)]);
    const advSecret = Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), 'adv_secret', 32));
    return { companionIdentityPublic, advSecret };
  }

  #stage(stage: Stage): Promise<BinaryNode> {
    const arrived = this.#arrived.get(stage);
    this.#arrived.delete(stage);
    if (arrived) return Promise.resolve(arrived);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(stage);
        reject(new LinkError('no_companion', `no ${stage} came from a companion`));
      }, STAGE_TIMEOUT_MS);
      this.#waiting.set(stage, (node) => {
        clearTimeout(timer);
        resolve(node);
      });
    });
  }
}
