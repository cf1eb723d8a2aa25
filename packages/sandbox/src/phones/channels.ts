import { randomBytes } from 'node:crypto';
import { type BinaryNode, getBinaryNodeChild, proto } from 'baileys';
import type { PhoneConnection } from './connection.ts';
import { describe, type Inbox } from './inbox.ts';

type Channel = string | { readonly jid: string };

/** What a person does with channels: write in an own one, look at posts, react; and the posts that come. */
export class ChannelClient {
  readonly #connection: PhoneConnection;
  readonly #inbox: Inbox;

  constructor(connection: PhoneConnection, inbox: Inbox) {
    this.#connection = connection;
    this.#inbox = inbox;
  }

  /** Publishes; resolves with the ids at the server's ack. Rejects when the channel is not the account's. */
  async post(channel: Channel, message: proto.IMessage | string): Promise<{ id: string; serverId: number }> {
    const id = `3EB0${randomBytes(9).toString('hex').toUpperCase()}`;
    const content = typeof message === 'string' ? { conversation: message } : message;
    const ack = await this.#connection.sendMessage({
      tag: 'message',
      attrs: { to: jidOf(channel), id, type: content.conversation == null ? 'media' : 'text' },
      content: [{ tag: 'plaintext', attrs: {}, content: proto.Message.encode(content).finish() }],
    });
    return { id, serverId: Number(ack.attrs.server_id) };
  }

  /** Gives a post another text; of another one's too, where the account runs the channel. */
  async edit(channel: Channel, id: string, text: string): Promise<void> {
    await this.#connection.sendMessage({
      tag: 'message',
      attrs: { to: jidOf(channel), id, type: 'text', edit: '3' },
      content: [
        { tag: 'plaintext', attrs: {}, content: proto.Message.encode({ conversation: text }).finish() },
      ],
    });
  }

  /** Takes a post back. */
  async revoke(channel: Channel, id: string): Promise<void> {
    await this.#connection.sendMessage({
      tag: 'message',
      attrs: { to: jidOf(channel), id, type: 'text', edit: '8' },
      content: [{ tag: 'plaintext', attrs: {} }],
    });
  }

  /** An empty code takes the reaction back. */
  async react(channel: Channel, serverId: number, code: string): Promise<void> {
    await this.#connection.sendMessage({
      tag: 'message',
      attrs: {
        to: jidOf(channel),
        id: `3EB0${randomBytes(9).toString('hex').toUpperCase()}`,
        server_id: String(serverId),
        type: 'reaction',
        ...(code === '' ? { edit: '7' } : {}),
      },
      content: [{ tag: 'reaction', attrs: code === '' ? {} : { code } }],
    });
  }

  /** Counts as a view of each. */
  look(channel: Channel, serverIds: readonly number[]): void {
    this.#connection.send({
      tag: 'receipt',
      attrs: { to: jidOf(channel), type: 'view', id: this.#connection.nextId() },
      content: [
        {
          tag: 'list',
          attrs: {},
          content: serverIds.map((id) => ({ tag: 'item', attrs: { server_id: String(id) } })),
        },
      ],
    });
  }

  /** Of a channel that the account owns: the person may become an admin. */
  async inviteAdmin(channel: Channel, person: { readonly lid: string }): Promise<void> {
    await this.#mex('9387141988078609', { newsletter_id: jidOf(channel), user_id: person.lid });
  }

  /** Becomes an admin of a channel that it was invited to. */
  async acceptAdmin(channel: Channel): Promise<void> {
    await this.#mex('9580828702035549', { newsletter_id: jidOf(channel) });
  }

  /** GraphQL answers with a result when it refuses, too (`iq/newsletter-admins.ts` has the numbers). */
  async #mex(queryId: string, variables: object): Promise<void> {
    const answer = await this.#connection.query({
      tag: 'iq',
      attrs: { to: '@s.whatsapp.net', type: 'get', xmlns: 'w:mex' },
      content: [
        { tag: 'query', attrs: { query_id: queryId }, content: Buffer.from(JSON.stringify({ variables })) },
      ],
    });
    const result = getBinaryNodeChild(answer, 'result')?.content;
    const { errors } = JSON.parse(Buffer.from((result ?? '{}') as Uint8Array).toString('utf8'));
    if (errors) throw new Error(`the channel refused: ${JSON.stringify(errors)}`);
  }

  /** Takes a post that came; it is not encrypted. */
  take(node: BinaryNode): void {
    this.#connection.acknowledge(node);
    const { id = '', from = '', t, edit, type = '' } = node.attrs;
    const bytes = getBinaryNodeChild(node, 'plaintext')?.content;
    const message = bytes instanceof Uint8Array ? proto.Message.decode(bytes) : {};
    this.#inbox.addReceived(
      describe({
        // A change comes under the id of what it changes.
        id: edit === undefined ? id : `${id}/${edit}`,
        chat: from,
        from,
        fromDevice: from,
        fromMe: false,
        timestamp: Number(t ?? 0),
        message,
        stanza: { type, ...(edit === undefined ? {} : { edit }), nodes: [] },
      }),
    );
  }
}

function jidOf(channel: Channel): string {
  return typeof channel === 'string' ? channel : channel.jid;
}
