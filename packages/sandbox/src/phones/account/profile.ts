import type { BinaryNode } from 'baileys';
import type { AddressBook } from '../address-book.ts';
import type { PhoneConnection } from '../connection.ts';
import { type BusinessDetails, nameCertificate, profileFields } from './business.ts';

/** What a phone says of its account, and who may see it (Baileys Socket/chats.js). */
export class ProfileClient {
  readonly #connection: PhoneConnection;
  readonly #book: AddressBook;

  constructor(connection: PhoneConnection, book: AddressBook) {
    this.#connection = connection;
    this.#book = book;
  }

  setPresence(state: 'available' | 'unavailable', name: string): void {
    this.#connection.send({ tag: 'presence', attrs: { type: state, name } });
  }

  /** From now on the network tells this phone of the other side's presence. */
  async subscribe(to: string): Promise<void> {
    const lid = await this.#book.lid(to);
    this.#connection.send({ tag: 'presence', attrs: { type: 'subscribe', to: lid } });
  }

  async typing(chat: string, state: 'composing' | 'paused', media: 'text' | 'audio'): Promise<void> {
    const to = chat.endsWith('@g.us') ? chat : await this.#book.lid(chat);
    const child = { tag: state, attrs: state === 'composing' && media === 'audio' ? { media } : {} };
    this.#connection.send({ tag: 'chatstate', attrs: { to }, content: [child] });
  }

  async setAbout(text: string): Promise<void> {
    await this.#set('status', '@s.whatsapp.net', [
      { tag: 'status', attrs: {}, content: Buffer.from(text, 'utf8') },
    ]);
  }

  /** Of a group when `target` is one, else of the own account. No bytes remove the picture. */
  async setPicture(target: string, picture: Uint8Array | undefined): Promise<void> {
    const content = picture ? [{ tag: 'picture', attrs: { type: 'image' }, content: picture }] : undefined;
    await this.#set('w:profile:picture', target, content);
  }

  async setPrivacy(name: string, value: string): Promise<void> {
    await this.#set('privacy', '@s.whatsapp.net', [
      { tag: 'privacy', attrs: {}, content: [{ tag: 'category', attrs: { name, value } }] },
    ]);
  }

  /** The account is a business from now on; fields that are left out stay as they are. */
  async setBusiness(details: BusinessDetails): Promise<void> {
    const certificate = nameCertificate(details.name);
    await this.#set('w:biz', '@s.whatsapp.net', [
      { tag: 'verified_name', attrs: { v: '2' }, content: certificate },
      {
        tag: 'business_profile',
        attrs: { v: '3', mutation_type: 'delta' },
        content: profileFields(details),
      },
    ]);
  }

  async setBlocked(contact: string, blocked: boolean): Promise<void> {
    const jid = await this.#book.lid(contact);
    await this.#set('blocklist', '@s.whatsapp.net', [
      { tag: 'item', attrs: { jid, action: blocked ? 'block' : 'unblock' } },
    ]);
  }

  async #set(xmlns: string, to: string, content: BinaryNode[] | undefined): Promise<void> {
    const attrs = { to, type: 'set', xmlns };
    await this.#connection.query(
      content === undefined ? { tag: 'iq', attrs } : { tag: 'iq', attrs, content },
    );
  }
}
