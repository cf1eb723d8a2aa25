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

/** What the network says of one whom a change was about. */
export interface MemberResult {
  /** The phone number JID where it is known. */
  readonly jid: string;
  /** The code of a refusal. */
  readonly error?: number;
  /** What the person can be invited by who may not be added; `expiration` in seconds. */
  readonly invitation?: { readonly code: string; readonly expiration: number };
}

/** A group as anybody who may ask sees it. */
export interface GroupInfo {
  readonly jid: string;
  readonly subject: string;
  readonly description: string | undefined;
  readonly members: readonly { readonly jid: string; readonly role?: string }[];
  readonly announcement: boolean;
  readonly locked: boolean;
  /** Seconds; 0: never. */
  readonly ephemeral: number;
  readonly addMode: string;
  readonly approval: boolean;
  readonly community: boolean;
  /** The community that it belongs to. */
  readonly parent: string | undefined;
}

/** Somebody who waits for an admin. */
export interface JoinRequest {
  readonly jid: string;
  readonly method: string;
}

/** A group-invite message, as far as joining by it needs it. */
export interface GroupInvitation {
  readonly group: string;
  readonly code: string;
  /** Seconds since the epoch. */
  readonly expiration: number;
  readonly admin: string;
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

  /** `further`: elements that make it more than a group, such as `<parent>`. */
  async create(
    subject: string,
    members: readonly string[],
    further: readonly BinaryNode[] = [],
  ): Promise<Group> {
    const participants = await this.#participants(members);
    const answer = await this.#query('@g.us', 'set', {
      tag: 'create',
      attrs: { subject, key: randomBytes(16).toString('hex') },
      content: [...participants, ...further],
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

  async change(group: string, change: MemberChange, members: readonly string[]): Promise<MemberResult[]> {
    const participants = await this.#participants(members);
    const answer = await this.#query(group, 'set', { tag: change, attrs: {}, content: participants });
    return this.#results(getBinaryNodeChild(answer, change));
  }

  async info(group: string): Promise<GroupInfo> {
    const answer = await this.#query(group, 'get', { tag: 'query', attrs: { request: 'interactive' } });
    return this.#info(answer);
  }

  /** What an invite link leads to. */
  async preview(code: string): Promise<GroupInfo> {
    return this.#info(await this.#query('@g.us', 'get', { tag: 'invite', attrs: { code } }));
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

  async inviteCode(group: string, type: 'get' | 'set'): Promise<string> {
    const answer = await this.#query(group, type, { tag: 'invite', attrs: {} });
    return getBinaryNodeChild(answer, 'invite')?.attrs.code ?? '';
  }

  /** Whether the admins have to decide first. */
  async join(code: string): Promise<{ pending: boolean }> {
    const answer = await this.#query('@g.us', 'set', { tag: 'invite', attrs: { code } });
    return { pending: getBinaryNodeChild(answer, 'membership_approval_request') !== undefined };
  }

  async accept({ group, code, expiration, admin }: GroupInvitation): Promise<void> {
    const attrs = { code, expiration: String(expiration), admin: await this.#book.lid(admin) };
    await this.#query(group, 'set', { tag: 'accept', attrs });
  }

  async requests(group: string): Promise<JoinRequest[]> {
    const answer = await this.#query(group, 'get', { tag: 'membership_approval_requests', attrs: {} });
    const list = getBinaryNodeChild(answer, 'membership_approval_requests');
    return getBinaryNodeChildren(list, 'membership_approval_request').map(({ attrs }) => ({
      jid: attrs.phone_number ?? attrs.jid ?? '',
      method: attrs.request_method ?? '',
    }));
  }

  async decide(
    group: string,
    decision: 'approve' | 'reject',
    members: readonly string[],
  ): Promise<MemberResult[]> {
    const action = { tag: decision, attrs: {}, content: await this.#participants(members) };
    const tag = 'membership_requests_action';
    const answer = await this.#query(group, 'set', { tag, attrs: {}, content: [action] });
    return this.#results(getBinaryNodeChild(getBinaryNodeChild(answer, tag), decision));
  }

  /** `cancel_membership_requests` of one's own request, `revoke` of invitations. */
  async takeBack(group: string, tag: string, members: readonly string[]): Promise<MemberResult[]> {
    const content = await this.#participants(members);
    const answer = await this.#query(group, 'set', { tag, attrs: {}, content });
    return this.#results(getBinaryNodeChild(answer, tag));
  }

  /** The codes of the groups that were refused, by JID. */
  async link(community: string, groups: readonly string[]): Promise<Map<string, number>> {
    const content = groups.map((jid) => ({ tag: 'group', attrs: { jid } }));
    const link = { tag: 'link', attrs: { link_type: 'sub_group' }, content };
    const answer = await this.#query(community, 'set', { tag: 'links', attrs: {}, content: [link] });
    const results = getBinaryNodeChildren(
      getBinaryNodeChild(getBinaryNodeChild(answer, 'links'), 'link'),
      'group',
    );
    return new Map(
      results.flatMap(({ attrs: { jid = '', error } }) => (error ? [[jid, Number(error)] as const] : [])),
    );
  }

  async unlink(community: string, group: string): Promise<void> {
    const content = [{ tag: 'group', attrs: { jid: group } }];
    await this.#query(community, 'set', { tag: 'unlink', attrs: { unlink_type: 'sub_group' }, content });
  }

  /** The JIDs of a community's groups, that of its announcements too. */
  async linked(community: string): Promise<string[]> {
    const answer = await this.#query(community, 'get', { tag: 'sub_groups', attrs: {} });
    const groups = getBinaryNodeChildren(getBinaryNodeChild(answer, 'sub_groups'), 'group');
    return groups.map(({ attrs }) => `${attrs.id}@g.us`);
  }

  async leave(group: string): Promise<void> {
    await this.#query('@g.us', 'set', {
      tag: 'leave',
      attrs: {},
      content: [{ tag: 'group', attrs: { id: group } }],
    });
  }

  #results(list: BinaryNode | undefined): MemberResult[] {
    return getBinaryNodeChildren(list, 'participant').map((node) => {
      const { jid = '', phone_number, error } = node.attrs;
      const request = getBinaryNodeChild(node, 'add_request')?.attrs;
      return {
        jid: phone_number ?? this.#book.canonical(jid),
        ...(error === undefined ? {} : { error: Number(error) }),
        ...(request
          ? { invitation: { code: request.code ?? '', expiration: Number(request.expiration) } }
          : {}),
      };
    });
  }

  #info(answer: BinaryNode): GroupInfo {
    const node = getBinaryNodeChild(answer, 'group');
    if (!node) throw new Error('the network answered without a group');
    const has = (tag: string) => getBinaryNodeChild(node, tag) !== undefined;
    const { id = '', subject = '' } = node.attrs;
    const body = getBinaryNodeChild(getBinaryNodeChild(node, 'description'), 'body');
    return {
      jid: id.includes('@') ? id : `${id}@g.us`,
      subject,
      description: body && textOf(body),
      members: getBinaryNodeChildren(node, 'participant').map(
        ({ attrs: { jid = '', phone_number, type } }) => ({
          jid: phone_number ?? this.#book.canonical(jid),
          ...(type === undefined ? {} : { role: type }),
        }),
      ),
      announcement: has('announcement'),
      locked: has('locked'),
      ephemeral: Number(getBinaryNodeChild(node, 'ephemeral')?.attrs.expiration ?? 0),
      addMode: textOf(getBinaryNodeChild(node, 'member_add_mode')),
      approval: has('membership_approval_mode'),
      community: has('parent'),
      parent: getBinaryNodeChild(node, 'linked_parent')?.attrs.jid,
    };
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

function textOf(node: BinaryNode | undefined): string {
  const content = node?.content;
  return typeof content === 'string' ? content : Buffer.from((content ?? []) as Uint8Array).toString('utf8');
}
