import { randomBytes } from 'node:crypto';
import type { BinaryNode } from 'baileys';
import type { SignedPreKey } from '../state/directory.ts';
import { bytesOf, childNamed, childrenNamed, SERVER_JID, stanza } from '../wire/stanza.ts';
import type { PasskeyStep } from './passkey-step.ts';

/** How long the first QR reference lives and how long each later one (Baileys socket.js genPairQR). */
const FIRST_REF_MS = 60_000;
const NEXT_REF_MS = 20_000;
/** A scan on its way when the code changes still counts. */
const REF_GRACE_MS = 10_000;
const REF_COUNT = 6;

/** What a device says about itself when it registers (`ClientPayload.devicePairingData`). */
export interface Registration {
  readonly identityPublic: Uint8Array;
  readonly registrationId: number;
  readonly signedPreKey: SignedPreKey;
  /** The static Noise key of the connection; later logins must come with the same. */
  readonly noisePublic: Uint8Array;
}

/** The connection of a device that is not linked yet. */
export interface UnlinkedConnection {
  readonly registration: Registration;
  deliver(node: BinaryNode): void;
  close(): void;
}

/** How a companion answered `pair-success`. */
export type PairAnswer =
  | { readonly kind: 'signed'; readonly keyIndex: number; readonly signedIdentity: Uint8Array }
  | { readonly kind: 'refused' }
  | { readonly kind: 'gone' };

/** One connection that wants to be linked: its references, and the answer it owes. */
export class CompanionSession {
  readonly connection: UnlinkedConnection;
  readonly refs: readonly string[];
  readonly startedAt = Date.now();
  /** Fingerprints of ADV secrets that were retired on this connection. */
  readonly retiredSecrets = new Set<string>();
  refreshSent = false;
  /** A scan is being worked on. */
  linking = false;
  /** Set by code linking: the reference and the number it is for. */
  code: { readonly ref: string; readonly user: string } | undefined;

  /** The passkey that the server wants before anything else. */
  passkey: PasskeyStep | undefined;

  /** Ids of the notifications that the client has not acknowledged. */
  readonly unacknowledged = new Set<string>();

  #closed = false;
  #waiting: { readonly id: string; readonly resolve: (answer: PairAnswer) => void } | undefined;

  constructor(connection: UnlinkedConnection) {
    this.connection = connection;
    // The shape of real references: `2@`, base64 parts (seen in any WhatsApp Web QR).
    this.refs = Array.from({ length: REF_COUNT }, () => `2@${randomBytes(48).toString('base64')}`);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** True while the client shows this reference, or it is the code-linking one. */
  isFresh(ref: string, now = Date.now()): boolean {
    if (ref === this.code?.ref) return true;
    const index = this.refs.indexOf(ref);
    return index >= 0 && now <= this.startedAt + FIRST_REF_MS + index * NEXT_REF_MS + REF_GRACE_MS;
  }

  /** Milliseconds from the start until the last reference is used up. */
  static lifetimeMs(): number {
    return FIRST_REF_MS + (REF_COUNT - 1) * NEXT_REF_MS + REF_GRACE_MS;
  }

  /** The request to show a QR code (whatsmeow pair.go handlePairDevice). */
  pairDeviceStanza(id: string): BinaryNode {
    return stanza('iq', { from: SERVER_JID, type: 'set', id, xmlns: 'md' }, [
      stanza(
        'pair-device',
        {},
        this.refs.map((ref) => stanza('ref', {}, Buffer.from(ref, 'utf8'))),
      ),
    ]);
  }

  /** Sends `pair-success` and waits for the companion's signature, its refusal or its end. */
  askToSign(pairSuccess: BinaryNode): Promise<PairAnswer> {
    if (this.#closed) return Promise.resolve({ kind: 'gone' });
    return new Promise((resolve) => {
      this.#waiting = { id: pairSuccess.attrs.id ?? '', resolve };
      this.connection.deliver(pairSuccess);
    });
  }

  /** Takes the iq answer of the companion; false when it answers nothing that is waited for. */
  takeAnswer(node: BinaryNode): boolean {
    const waiting = this.#waiting;
    if (!waiting || node.attrs.id !== waiting.id) return false;
    this.#waiting = undefined;
    const identity = childNamed(childNamed(node, 'pair-device-sign'), 'device-identity');
    const signedIdentity = bytesOf(identity);
    const keyIndex = Number(identity?.attrs['key-index']);
    if (node.attrs.type === 'result' && signedIdentity && Number.isInteger(keyIndex)) {
      waiting.resolve({ kind: 'signed', keyIndex, signedIdentity });
    } else {
      waiting.resolve({ kind: 'refused' });
    }
    return true;
  }

  /** The connection ended. */
  end(): void {
    this.#closed = true;
    this.#waiting?.resolve({ kind: 'gone' });
    this.#waiting = undefined;
    this.passkey?.end();
  }
}

/** The children of a `link_code_companion_reg` that are passed on between companion and phone. */
export function linkCodeChildren(node: BinaryNode | undefined, names: readonly string[]): BinaryNode[] {
  return names.flatMap((name) => childrenNamed(node, name).slice(0, 1));
}
