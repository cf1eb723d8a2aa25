import { randomBytes } from 'node:crypto';
import type { BinaryNode } from 'baileys';
import type { CompanionSync, HistoryBlob } from './account/history.ts';
import { type AddressBook, toJid, withDevice } from './address-book.ts';
import type { PhoneConnection } from './connection.ts';
import type { PhoneHost } from './linking/host.ts';
import { newMessageId, type PhoneIdentity, type Sender } from './sending.ts';
import type { SignalClient } from './signal.ts';

/** A chat or device: a phone number, a JID, or anything with one. */
export type Target = string | { readonly jid: string };

export interface PlaintextOptions {
  /** The stanza's; default `message`. */
  tag?: string;
  /** Message id; a random one when left out. */
  readonly id?: string;
  /** False: the bytes without the random padding that receivers take off again. Default true. */
  readonly padded?: boolean;
  /** Attributes of the `<message>` as the receiver sees it, over those that a server writes; null leaves one out. */
  readonly attrs?: Readonly<Record<string, string | null>>;
  /** Attributes of its `<enc>`. */
  readonly encAttrs?: Readonly<Record<string, string>>;
  /** Children beside the `<enc>`. */
  readonly children?: readonly BinaryNode[];
}

export interface ForgedReceipt {
  /** `retry`, `read`, `played`…; none is a delivery receipt. */
  readonly type?: string;
  /** Message ids; the first is the receipt's own, the others are listed. They need not exist. */
  readonly ids: readonly string[];
  /** Attributes over those of a real receipt. */
  readonly attrs?: Readonly<Record<string, string>>;
  /** A retry receipt that brings the keys for a new session, so that an answer can be read. Default true. */
  readonly keys?: boolean;
  /** The `count` of a retry. Default 1. */
  readonly count?: number;
}

/**
 * What a phone with altered software can do to others: everything that the server passes on unread, and, by
 * `inject`, what no server would pass on. Nothing here is checked; what comes of it is the receiver's affair.
 */
export class HostilePhone {
  readonly #self: PhoneIdentity;
  readonly #parts: {
    readonly host: PhoneHost;
    readonly connection: PhoneConnection;
    readonly book: AddressBook;
    readonly signal: SignalClient;
    readonly sender: Sender;
    readonly sync: CompanionSync;
  };

  constructor(
    self: PhoneIdentity,
    parts: {
      host: PhoneHost;
      connection: PhoneConnection;
      book: AddressBook;
      signal: SignalClient;
      sender: Sender;
      sync: CompanionSync;
    },
  ) {
    this.#self = self;
    this.#parts = parts;
  }

  /** The account's push name from now on: any text, as `notify` of what this phone sends. */
  setPushName(name: string): void {
    this.#parts.connection.send({ tag: 'presence', attrs: { type: 'available', name } });
  }

  /** Sends a stanza as it is. The server handles it as one of this phone, and writes its own attributes. */
  send(node: BinaryNode): void {
    this.#parts.connection.send(node);
  }

  /** Puts a stanza into a device's queue as if the server had written it: no server looks at it. */
  inject(device: string, node: BinaryNode): void {
    this.#parts.host.inject(device, node);
  }

  /**
   * Sends any bytes where a message belongs, in a valid Signal message to each device of a user. Resolves
   * with the message id once they are in the queues.
   */
  async sendPlaintext(to: Target, bytes: Uint8Array, options: PlaintextOptions = {}): Promise<string> {
    const { host, sender, book } = this.#parts;
    const id = options.id ?? newMessageId();
    const padding = options.padded === false ? 0 : 1 + ((randomBytes(1)[0] ?? 0) % 16);
    const plaintext = Buffer.concat([bytes, Buffer.alloc(padding, padding)]);
    for (const { lid, devices } of await book.devices([jidOf(to)])) {
      for (const device of devices) {
        const target = withDevice(lid, device);
        const enc = await sender.encryptBytes(target, plaintext);
        const attrs = {
          from: this.#self.lid,
          id,
          type: 'text',
          t: String(Math.floor(Date.now() / 1000)),
          notify: this.#self.name,
          addressing_mode: 'lid',
          sender_pn: this.#self.jid,
          ...options.attrs,
        };
        host.inject(target, {
          tag: options.tag ?? 'message',
          attrs: Object.fromEntries(
            Object.entries(attrs).filter((entry): entry is [string, string] => entry[1] !== null),
          ),
          content: [{ ...enc, attrs: { ...enc.attrs, ...options.encAttrs } }, ...(options.children ?? [])],
        });
      }
    }
    return id;
  }

  /** Sends a receipt for messages that may be nobody's, or somebody else's, to a device or user. */
  async forgeReceipt(to: Target, { type, ids, attrs, keys = true, count = 1 }: ForgedReceipt): Promise<void> {
    const { connection, signal } = this.#parts;
    const [id = '', ...others] = ids;
    const content: BinaryNode[] = [];
    if (type === 'retry') {
      const registration = Buffer.alloc(4);
      registration.writeUInt32BE(signal.registrationId);
      const t = String(Math.floor(Date.now() / 1000));
      content.push({ tag: 'retry', attrs: { v: '1', count: String(count), id, t } });
      content.push({ tag: 'registration', attrs: {}, content: registration });
      if (keys) content.push(await signal.retryKeys());
    }
    if (others.length > 0) {
      const items = others.map((other) => ({ tag: 'item', attrs: { id: other } }));
      content.push({ tag: 'list', attrs: {}, content: items });
    }
    connection.send({
      tag: 'receipt',
      attrs: {
        id,
        to: typeof to === 'string' && to.includes('@') ? to : jidOf(to),
        ...(type === undefined ? {} : { type }),
        ...attrs,
      },
      content,
    });
  }

  /** Adds bytes as the next patch of a collection of the own account; its companions are told to fetch it. */
  appStatePatch(collection: string, patch: Uint8Array): void {
    this.#parts.host.injectPatch(this.#self.number, collection, patch);
  }

  /** Sends a history sync to an own companion whose payload is any bytes, within the message or as a file. */
  async history(device: number, blob: HistoryBlob): Promise<void> {
    await this.#parts.sync.sendBlob(device, blob);
  }
}

function jidOf(target: Target): string {
  return toJid(typeof target === 'string' ? target : target.jid);
}
