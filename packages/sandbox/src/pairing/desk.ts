import { randomBytes } from 'node:crypto';
import { type BinaryNode, Curve, proto } from 'baileys';
import { notifyDeviceChange } from '../accounts/device-changes.ts';
import { removeCompanion } from '../accounts/remove-companion.ts';
import type { PasskeyExchange } from '../link.ts';
import type { Network } from '../network/network.ts';
import type { Account, RegisteredDevice } from '../state/directory.ts';
import { jidIn, lidJid, parseJid } from '../state/jid.ts';
import { passkeysOf } from '../state/passkeys.ts';
import { streamErrorStanza } from '../wire/endings.ts';
import { childNamed, SERVER_JID, stanza, textOf, timestamp } from '../wire/stanza.ts';
import { iqError, iqResult } from './answers.ts';
import { CompanionSession, linkCodeChildren, type UnlinkedConnection } from './companion-session.ts';
import { PasskeyStep } from './passkey-step.ts';

/**
 * When the server retires the ADV secret of a code that is shown (see the README of the sandbox):
 * `after_qr` right after the references, `on_scan` on the first scan, which it refuses, `never`.
 */
export type CompanionRegRefresh = 'after_qr' | 'on_scan' | 'never';

export type LinkFailure =
  | 'unknown_ref'
  | 'ref_expired'
  | 'adv_secret_retired'
  | 'companion_rejected'
  | 'companion_gone'
  | 'passkey_expired'
  | 'passkey_refused';

/** A link that did not come about, and why. */
class PairingError extends Error {
  readonly reason: LinkFailure;

  constructor(reason: LinkFailure) {
    super(`linking failed: ${reason}`);
    this.name = 'PairingError';
    this.reason = reason;
  }
}

const BUSINESS_PLATFORM = 'smba';

/** What the primary phone hands in after it read a QR code or finished a code. */
export interface LinkRequest {
  readonly account: Account;
  readonly ref: string;
  /** Encoded `ADVSignedDeviceIdentityHMAC`. */
  readonly deviceIdentityHmac: Uint8Array;
  readonly keyIndex: number;
  /** The companion's identity key as the phone learned it, 32 bytes. */
  readonly companionIdentityPublic: Uint8Array;
  /** The phone's platform, told to the companion: `android`, `iphone`; of a business it is another. */
  readonly platform: string;
  /** Hex SHA-256 of the ADV secret the HMAC was made with. */
  readonly advSecretFingerprint: string;
}

/** Device signature prefix over the ADV identity (whatsmeow pair.go AdvDeviceSignaturePrefix). */
const DEVICE_SIGNATURE_PREFIX = Buffer.from([6, 1]);

/**
 * What a companion calls itself, `Browser (OS)`: others are refused with 400 (whatsmeow pair-code.go PairPhone; Baileys
 * issue 1016). The real server knows the usual names alone; here the form counts.
 */
const PLATFORM_DISPLAY = /^[A-Za-z][\w .-]{0,39} \([A-Za-z][\w .-]{0,39}\)$/;

const HELLO_CHILDREN = [
  'link_code_pairing_wrapped_companion_ephemeral_pub',
  'companion_server_auth_key_pub',
  'companion_platform_id',
  'companion_platform_display',
  'link_code_pairing_nonce',
] as const;
const PRIMARY_HELLO_CHILDREN = [
  'link_code_pairing_wrapped_primary_ephemeral_pub',
  'primary_identity_pub',
  'link_code_pairing_ref',
] as const;
const FINISH_CHILDREN = [
  'link_code_pairing_wrapped_key_bundle',
  'companion_identity_public',
  'link_code_pairing_ref',
] as const;

/** The server side of linking a companion, by QR code and by eight-character code. */
export class PairingDesk {
  readonly #network: Network;
  readonly #refresh: CompanionRegRefresh;
  readonly #byRef = new Map<string, CompanionSession>();

  constructor(network: Network, options: { companionRegRefresh?: CompanionRegRefresh } = {}) {
    this.#network = network;
    this.#refresh = options.companionRegRefresh ?? 'after_qr';
    network.pairingIq = (sender, iq) => this.#phoneIq(sender, iq);
  }

  /** A device without an account connected: it is given references to show as QR codes. */
  open(connection: UnlinkedConnection): CompanionSession {
    const session = new CompanionSession(connection);
    for (const ref of session.refs) this.#byRef.set(ref, session);
    connection.deliver(session.pairDeviceStanza(this.#network.delivery.nextId()));
    if (this.#refresh === 'after_qr') this.#sendRefresh(session);
    return session;
  }

  /** The connection of a session ended. */
  closed(session: CompanionSession): void {
    for (const ref of session.refs) this.#byRef.delete(ref);
    if (session.code) this.#byRef.delete(session.code.ref);
    if (session.passkey?.ref) this.#byRef.delete(session.passkey.ref);
    session.end();
  }

  /** Says something to every device that is not linked yet. */
  tellUnlinked(node: BinaryNode): void {
    for (const session of new Set(this.#byRef.values())) session.connection.deliver(node);
  }

  /** Notifications to devices that are not linked yet and have not acknowledged them. */
  get unacknowledged(): number {
    const sessions = new Set(this.#byRef.values());
    return [...sessions].reduce((sum, session) => sum + session.unacknowledged.size, 0);
  }

  /** A stanza from a device that is not linked yet. */
  receive(session: CompanionSession, node: BinaryNode): void {
    if (node.tag === 'ack') session.unacknowledged.delete(node.attrs.id ?? '');
    if (node.tag !== 'iq') return;
    if (node.attrs.type === 'result' || node.attrs.type === 'error') {
      session.takeAnswer(node);
      return;
    }
    const order = this.#network.orders.answerTo(node);
    if (order === 'silence') return;
    if (order !== undefined) {
      session.connection.deliver(iqError(node, order, 'ordered'));
      return;
    }
    const passkeyAnswer = session.passkey?.receive(node);
    if (passkeyAnswer) {
      void passkeyAnswer.then((answer) => session.connection.deliver(answer));
      return;
    }
    const registration = childNamed(node, 'link_code_companion_reg');
    const { stage } = registration?.attrs ?? {};
    if (registration && stage === 'companion_hello') this.#companionHello(session, node, registration);
    else if (registration && stage === 'companion_finish') this.#companionFinish(session, node, registration);
    else if (node.attrs.xmlns === 'w:p') session.connection.deliver(iqResult(node));
    else session.connection.deliver(iqError(node, 501, 'feature-not-implemented'));
  }

  /**
   * What the server wants before the phone may link the companion that shows `ref`; null: nothing. Throws as
   * `linkByRef` rejects.
   */
  askForPasskey(
    input: Pick<LinkRequest, 'account' | 'ref' | 'advSecretFingerprint'>,
  ): PasskeyExchange | null {
    const passkeys = passkeysOf(input.account);
    if (passkeys.policy.demand === 'none') return null;
    const session = this.#scanned(input.ref);
    this.#refuseRetiredSecret(session, input);
    session.linking = true;
    const step = new PasskeyStep({
      passkeys,
      deliver: (node) => session.connection.deliver(node),
      nextId: () => this.#network.delivery.nextId(),
      sent: (id) => session.unacknowledged.add(id),
      referenced: (ref) => this.#byRef.set(ref, session),
      close: () => session.connection.close(),
      ended: (reason) => {
        session.linking = false;
        return new PairingError(reason);
      },
    });
    session.passkey = step;
    step.begin();
    return step;
  }

  /**
   * The phone links the companion that shows `ref`. Resolves when the companion signed its identity and
   * was told to reconnect (515). Rejects with a `PairingError`.
   */
  async linkByRef(input: LinkRequest): Promise<{ device: number }> {
    const session = this.#scanned(input.ref);
    this.#refuseRetiredSecret(session, input);
    const { registration } = session.connection;
    if (Buffer.compare(registration.identityPublic, input.companionIdentityPublic) !== 0) {
      throw new PairingError('companion_rejected');
    }

    session.linking = true;
    const { account } = input;
    const device = account.nextDevice;
    account.nextDevice += 1;
    const answer = await session.askToSign(this.#pairSuccess(input, device));
    session.linking = false;
    if (answer.kind === 'gone') throw new PairingError('companion_gone');
    if (answer.kind === 'refused' || !signatureHolds(answer.signedIdentity, input)) {
      session.connection.close();
      throw new PairingError('companion_rejected');
    }

    const linked = this.#network.directory.addCompanion(account, {
      device,
      keyIndex: input.keyIndex,
      platform: input.platform,
      ...registration,
    });
    session.connection.deliver(streamErrorStanza(515));
    session.connection.close();
    notifyDeviceChange(this.#network, linked, 'add');
    this.#passkeyDone(session, linked);
    return { device };
  }

  #scanned(ref: string): CompanionSession {
    const session = this.#byRef.get(ref);
    const byPasskey = session?.passkey?.ref === ref;
    if (!session || session.closed || (session.linking && !byPasskey)) throw new PairingError('unknown_ref');
    if (!byPasskey && !session.isFresh(ref)) throw new PairingError('ref_expired');
    return session;
  }

  /** Who was linked without the passkey that was asked of it does not stay (whatsmeow issue 1184). */
  #passkeyDone({ passkey }: CompanionSession, linked: RegisteredDevice): void {
    if (passkey?.ignored) {
      const { removeAfterMs } = passkeysOf(linked.account).policy;
      setTimeout(() => {
        if (linked.account.devices.get(linked.address.device) === linked)
          removeCompanion(this.#network, linked);
      }, removeAfterMs).unref();
    }
    passkey?.end();
  }

  /** whatsmeow pair.go handlePairSuccess: `from` is the server and `pair-success` the only child. */
  #pairSuccess({ account, deviceIdentityHmac, platform }: LinkRequest, device: number): BinaryNode {
    return stanza(
      'iq',
      { from: SERVER_JID, type: 'set', id: this.#network.delivery.nextId(), xmlns: 'md', t: timestamp() },
      [
        stanza('pair-success', {}, [
          stanza('device-identity', {}, deviceIdentityHmac),
          // WhatsApp Business says `smba` or `smbi` (Baileys generics.js isWABusinessPlatform).
          stanza('platform', { name: account.business ? BUSINESS_PLATFORM : platform }),
          stanza('device', {
            jid: jidIn('pn', account, device),
            lid: lidJid(account, device),
          }),
        ]),
      ],
    );
  }

  /**
   * `on_scan`: the first scan of a connection retires the secret it was made with and is refused; the same
   * secret is refused again later, a new one passes. The real server cannot see the secret; it tells by
   * other means, so the phone's fingerprint of it stands in.
   */
  #refuseRetiredSecret(
    session: CompanionSession,
    input: Pick<LinkRequest, 'ref' | 'advSecretFingerprint'>,
  ): void {
    if (input.ref === session.code?.ref || input.ref === session.passkey?.ref) return;
    if (this.#refresh === 'on_scan' && !session.refreshSent) {
      session.retiredSecrets.add(input.advSecretFingerprint);
      this.#sendRefresh(session);
    }
    if (session.retiredSecrets.has(input.advSecretFingerprint)) throw new PairingError('adv_secret_retired');
  }

  #sendRefresh(session: CompanionSession): void {
    session.refreshSent = true;
    const id = this.#network.delivery.nextId();
    session.unacknowledged.add(id);
    session.connection.deliver(
      stanza('notification', { from: SERVER_JID, type: 'companion_reg_refresh', id, t: timestamp() }, [
        stanza('companion_reg_refresh'),
      ]),
    );
  }

  /** A companion asks to be linked by code: the phone is told, the companion gets the reference. */
  #companionHello(session: CompanionSession, iq: BinaryNode, registration: BinaryNode): void {
    if (!PLATFORM_DISPLAY.test(textOf(childNamed(registration, 'companion_platform_display')) ?? '')) {
      session.connection.deliver(iqError(iq, 400, 'bad-request'));
      return;
    }
    const user = parseJid(registration.attrs.jid)?.user ?? '';
    const phone = this.#network.directory.byUser(user)?.devices.get(0);
    if (!phone) {
      session.connection.deliver(iqError(iq, 404, 'item-not-found'));
      return;
    }
    if (session.code) this.#byRef.delete(session.code.ref);
    const code = { ref: `3@${randomBytes(32).toString('base64')}`, user };
    session.code = code;
    this.#byRef.set(code.ref, session);
    const ref = stanza('link_code_pairing_ref', {}, Buffer.from(code.ref, 'utf8'));
    session.connection.deliver(
      iqResult(iq, [stanza('link_code_companion_reg', { stage: 'companion_hello' }, [ref])]),
    );
    this.#network.delivery.post(
      phone,
      this.#linkCodeNotification('companion_hello', registration.attrs, [
        ...linkCodeChildren(registration, HELLO_CHILDREN),
        ref,
      ]),
    );
  }

  #companionFinish(session: CompanionSession, iq: BinaryNode, registration: BinaryNode): void {
    const phone = session.code && this.#network.directory.byUser(session.code.user)?.devices.get(0);
    if (!phone || textOf(childNamed(registration, 'link_code_pairing_ref')) !== session.code?.ref) {
      session.connection.deliver(iqError(iq, 404, 'item-not-found'));
      return;
    }
    session.connection.deliver(iqResult(iq));
    this.#network.delivery.post(
      phone,
      this.#linkCodeNotification(
        'companion_finish',
        registration.attrs,
        linkCodeChildren(registration, FINISH_CHILDREN),
      ),
    );
  }

  /** The phone's `primary_hello` goes to the companion that holds the reference. */
  #phoneIq(sender: RegisteredDevice, iq: BinaryNode): BinaryNode | undefined {
    const registration = childNamed(iq, 'link_code_companion_reg');
    if (!registration) return undefined;
    const ref = textOf(childNamed(registration, 'link_code_pairing_ref')) ?? '';
    const session = this.#byRef.get(ref);
    if (!session || session.closed || session.code?.user !== sender.account.user) {
      return iqError(iq, 404, 'item-not-found');
    }
    session.connection.deliver(
      this.#linkCodeNotification(
        'primary_hello',
        registration.attrs,
        linkCodeChildren(registration, PRIMARY_HELLO_CHILDREN),
      ),
    );
    return iqResult(iq);
  }

  #linkCodeNotification(stage: string, attrs: BinaryNode['attrs'], children: BinaryNode[]): BinaryNode {
    return stanza(
      'notification',
      {
        from: SERVER_JID,
        type: 'link_code_companion_reg',
        id: this.#network.delivery.nextId(),
        t: timestamp(),
      },
      [stanza('link_code_companion_reg', { ...attrs, stage }, children)],
    );
  }
}

/**
 * The companion's signature over the identity the phone made for it (whatsmeow pair.go
 * generateDeviceSignature); the account key is left out of the answer, so it comes from the request.
 */
function signatureHolds(signedIdentity: Uint8Array, input: LinkRequest): boolean {
  try {
    const wrapped = proto.ADVSignedDeviceIdentityHMAC.decode(input.deviceIdentityHmac);
    const offered = proto.ADVSignedDeviceIdentity.decode(wrapped.details ?? new Uint8Array());
    const answered = proto.ADVSignedDeviceIdentity.decode(signedIdentity);
    const accountKey = offered.accountSignatureKey ?? new Uint8Array();
    const message = Buffer.concat([
      DEVICE_SIGNATURE_PREFIX,
      answered.details ?? new Uint8Array(),
      input.companionIdentityPublic,
      accountKey,
    ]);
    const signature = answered.deviceSignature ?? new Uint8Array();
    return Curve.verify(input.companionIdentityPublic, message, signature);
  } catch {
    return false;
  }
}
