import { randomBytes } from 'node:crypto';
import { type BinaryNode, getBinaryNodeChild, getBinaryNodeChildren } from 'baileys';
import type { AddressBook, Addressing } from './address-book.ts';
import type { PhoneConnection } from './connection.ts';

/** A group as the phone that made it knows it. */
export interface Group {
  /** `…@g.us` */
  readonly jid: string;
  readonly subject: string;
}

export interface GroupMetadata {
  readonly subject: string;
  /** Bare LIDs (or phone number JIDs in a PN-addressed group). */
  readonly members: readonly string[];
  readonly addressing: Addressing;
}

type MemberChange = 'add' | 'remove' | 'promote' | 'demote';

/** The `w:g2` queries of a phone (Baileys Socket/groups.js, whatsmeow group.go). */
export class GroupClient {
  readonly #connection: PhoneConnection;
  readonly #book: AddressBook;

  constructor(connection: PhoneConnection, book: AddressBook) {
    this.#connection = connection;
    this.#book = book;
  }

  async create(subject: string, members: readonly string[]): Promise<Group> {
    const participants = await this.#participants(members);
    const answer = await this.#query('@g.us', 'set', {
      tag: 'create',
      attrs: { subject, key: randomBytes(16).toString('hex') },
      content: participants,
    });
    const group = getBinaryNodeChild(answer, 'group');
    const id = group?.attrs.id;
    if (id === undefined) throw new Error('the network answered the creation without a group');
    return { jid: id.includes('@') ? id : `${id}@g.us`, subject };
  }

  async metadata(group: string): Promise<GroupMetadata> {
    const answer = await this.#query(group, 'get', { tag: 'query', attrs: { request: 'interactive' } });
    const node = getBinaryNodeChild(answer, 'group');
    if (!node) throw new Error(`the network knows no group ${group}`);
    const participants = getBinaryNodeChildren(node, 'participant');
    for (const { attrs } of participants) {
      this.#book.learn(attrs.phone_number ?? attrs.jid, attrs.lid ?? attrs.jid);
    }
    return {
      subject: node.attrs.subject ?? '',
      members: participants.map((participant) => participant.attrs.jid ?? ''),
      addressing: node.attrs.addressing_mode === 'pn' ? 'pn' : 'lid',
    };
  }

  async change(group: string, change: MemberChange, members: readonly string[]): Promise<void> {
    const participants = await this.#participants(members);
    await this.#query(group, 'set', { tag: change, attrs: {}, content: participants });
  }

  async setSubject(group: string, subject: string): Promise<void> {
    await this.#query(group, 'set', { tag: 'subject', attrs: {}, content: Buffer.from(subject) });
  }

  async setDescription(group: string, text: string): Promise<void> {
    const id = randomBytes(8).toString('hex').toUpperCase();
    if (text === '') await this.command(group, 'description', { id, delete: 'true' });
    else {
      const body = { tag: 'body', attrs: {}, content: Buffer.from(text, 'utf8') };
      await this.command(group, 'description', { id }, [body]);
    }
  }

  /** A change that is one element: `announcement`, `locked`, `ephemeral`, `member_add_mode`, … */
  async command(
    group: string,
    tag: string,
    attrs: Record<string, string> = {},
    content?: BinaryNode['content'],
  ): Promise<void> {
    await this.#query(group, 'set', content === undefined ? { tag, attrs } : { tag, attrs, content });
  }

  async resetInvite(group: string): Promise<string> {
    const answer = await this.#query(group, 'set', { tag: 'invite', attrs: {} });
    return getBinaryNodeChild(answer, 'invite')?.attrs.code ?? '';
  }

  async join(code: string): Promise<void> {
    await this.#query('@g.us', 'set', { tag: 'invite', attrs: { code } });
  }

  async leave(group: string): Promise<void> {
    await this.#query('@g.us', 'set', {
      tag: 'leave',
      attrs: {},
      content: [{ tag: 'group', attrs: { id: group } }],
    });
  }

  async #participants(members: readonly string[]): Promise<BinaryNode[]> {
    const nodes: BinaryNode[] = [];
    for (const member of members) {
      nodes.push({ tag: 'participant', attrs: { jid: await this.#book.lid(member) } });
    }
    return nodes;
  }

  #query(to: string, type: 'get' | 'set', child: BinaryNode): Promise<BinaryNode> {
    return this.#connection.query({ tag: 'iq', attrs: { to, type, xmlns: 'w:g2' }, content: [child] });
  }
}
