import type { BinaryNode, proto } from 'baileys';
import type { RawData, WebSocket } from 'ws';
import type { NetworkLink } from '../link.ts';
import type { Network } from '../network/network.ts';
import { CompanionSession, type Registration } from '../pairing/companion-session.ts';
import type { PairingDesk } from '../pairing/desk.ts';
import type { NoiseCertificates } from '../wire/certificates.ts';
import { decodeStanza, encodeStanza } from '../wire/codec.ts';
import { failureStanza } from '../wire/endings.ts';
import { forgedCertificates } from '../wire/forgeries.ts';
import { FrameReader, frame } from '../wire/frames.ts';
import { NoiseResponder, type NoiseTransport } from '../wire/noise.ts';
import { stanza } from '../wire/stanza.ts';

export interface ConnectionParts {
  readonly network: Network;
  readonly pairing: PairingDesk;
  readonly certificates: NoiseCertificates;
}

type Role =
  | { readonly kind: 'linked'; readonly link: NetworkLink }
  | { readonly kind: 'unlinked'; readonly session: CompanionSession };

/** A client that has not finished its handshake by then is cut off. */
const HANDSHAKE_TIMEOUT_MS = 20_000;
const CLOSE_TIMEOUT_MS = 2_000;
const PASSKEY_LOOK_MS = 1_000;

/**
 * One client's WebSocket: handshake, then either a registration (a device that wants to be linked) or a
 * login, then stanzas both ways.
 */
export class Connection {
  readonly #socket: WebSocket;
  readonly #parts: ConnectionParts;
  readonly #frames = new FrameReader();
  #responder: NoiseResponder | undefined;
  #transport: NoiseTransport | undefined;
  #role: Role | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: WebSocket, parts: ConnectionParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.#timer = setTimeout(() => socket.terminate(), HANDSHAKE_TIMEOUT_MS);
    socket.on('message', (data) => this.#receive(data));
    socket.on('close', () => this.#ended());
    socket.on('error', () => socket.terminate());
  }

  /**
   * Encrypts and sends one stanza; dropped when the socket is closing. A stream error is followed by the
   * stream's end (Baileys socket.js CB:xmlstreamend).
   */
  deliver(node: BinaryNode): void {
    if (!this.#transport || this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.send(frame(this.#transport.encrypt(encodeStanza(node))));
    if (node.tag === 'stream:error') this.deliver(stanza('xmlstreamend'));
  }

  /** Sends the first half of the stanza's bytes and cuts the connection; nothing is sent after that. */
  tear(node: BinaryNode): void {
    if (!this.#transport || this.#socket.readyState !== this.#socket.OPEN) return;
    const bytes = frame(this.#transport.encrypt(encodeStanza(node)));
    this.#transport = undefined;
    this.#socket.send(bytes.subarray(0, Math.ceil(bytes.length / 2)), () => this.#socket.terminate());
  }

  /** Closes after what was sent has left; a client that does not close its side is cut off. */
  close(): void {
    this.#socket.close();
    setTimeout(() => this.#socket.terminate(), CLOSE_TIMEOUT_MS).unref();
  }

  #receive(data: RawData): void {
    try {
      const bytes = Array.isArray(data)
        ? Buffer.concat(data)
        : data instanceof ArrayBuffer
          ? Buffer.from(data)
          : data;
      for (const body of this.#frames.push(bytes)) this.#frame(body);
    } catch {
      // Whatever a client sends that is not the protocol ends its connection, as on the real network.
      this.#socket.terminate();
    }
  }

  #frame(body: Buffer): void {
    if (this.#transport) {
      this.#stanza(decodeStanza(this.#transport.decrypt(body)));
      return;
    }
    if (!this.#responder) {
      const { certificates, network } = this.#parts;
      const forgery = network.orders.certificateForgery;
      const shown = forgery ? forgedCertificates(certificates, forgery) : certificates;
      this.#responder = new NoiseResponder(shown, this.#frames.header ?? Buffer.alloc(0));
    }
    const { answer, finish } = this.#responder.take(body);
    if (answer) this.#socket.send(frame(answer));
    if (!finish) return;
    this.#transport = finish.transport;
    clearTimeout(this.#timer);
    const registration = registrationOf(finish.payload, finish.clientStatic);
    if (registration) this.#register(registration);
    else this.#login(finish.payload, finish.clientStatic);
  }

  #register(registration: Registration): void {
    const refusal = this.#parts.network.orders.takeRegistrationRefusal();
    if (refusal !== undefined) {
      this.deliver(failureStanza(refusal));
      this.close();
      return;
    }
    const session = this.#parts.pairing.open({
      registration,
      deliver: (node) => this.deliver(node),
      close: () => this.close(),
    });
    this.#role = { kind: 'unlinked', session };
    this.#endWithRefs(session, CompanionSession.lifetimeMs());
  }

  /**
   * The real server ends the stream once the references are used up; the client then starts over. Not while it waits
   * for a passkey, which it gives ten minutes.
   */
  #endWithRefs(session: CompanionSession, ms: number): void {
    this.#timer = setTimeout(() => {
      if (session.passkey && !session.passkey.over) this.#endWithRefs(session, PASSKEY_LOOK_MS);
      else this.close();
    }, ms);
    this.#timer.unref();
  }

  /** Refused with 401 when the device is not (or no longer) linked or has another Noise key. */
  #login(payload: proto.ClientPayload, noisePublic: Buffer): void {
    const { network } = this.#parts;
    const user = String(payload.username ?? '');
    const address = { user, device: payload.device ?? 0 };
    const device = address.device > 0 ? network.directory.device(address) : undefined;
    const refusal = network.orders.takeLoginRefusal(user);
    const known = device?.noisePublic && Buffer.compare(device.noisePublic, noisePublic) === 0;
    if (refusal !== undefined || !known) {
      this.deliver(failureStanza(refusal?.code ?? 401, refusal?.attrs));
      this.close();
      return;
    }
    const link: NetworkLink = {
      address,
      passive: payload.passive ?? false,
      deliver: (node) => this.deliver(node),
      close: () => this.close(),
      tear: (node) => this.tear(node),
    };
    this.#role = { kind: 'linked', link };
    network.attach(link);
  }

  #stanza(node: BinaryNode): void {
    if (this.#role?.kind === 'linked') this.#parts.network.submit(this.#role.link, node);
    else if (this.#role?.kind === 'unlinked') this.#parts.pairing.receive(this.#role.session, node);
  }

  #ended(): void {
    clearTimeout(this.#timer);
    if (this.#role?.kind === 'linked') this.#parts.network.detach(this.#role.link);
    else if (this.#role?.kind === 'unlinked') this.#parts.pairing.closed(this.#role.session);
    this.#role = undefined;
  }
}

function registrationOf(payload: proto.ClientPayload, noisePublic: Uint8Array): Registration | undefined {
  const data = payload.devicePairingData;
  if (!data?.eIdent || !data.eRegid || !data.eSkeyId || !data.eSkeyVal || !data.eSkeySig) return undefined;
  return {
    identityPublic: data.eIdent,
    registrationId: bigEndian(data.eRegid),
    signedPreKey: {
      id: bigEndian(data.eSkeyId),
      publicKey: data.eSkeyVal,
      signature: data.eSkeySig,
    },
    noisePublic,
  };
}

function bigEndian(bytes: Uint8Array): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}
