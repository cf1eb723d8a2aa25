import type { BinaryNode } from 'baileys';
import type { Account } from '../state/directory.ts';
import { childrenOf, stanza } from '../wire/stanza.ts';

/** What was published in a channel. */
export interface Post {
  /** The server's number of the post in its channel, from 1 on. */
  readonly serverId: number;
  /** As its author chose. */
  readonly id: string;
  /** `text`, `media`, `poll`. */
  readonly type: string;
  /** Unix seconds. */
  readonly at: number;
  /** `<plaintext>` and what else the stanza brought; empty once it was taken back. */
  content: readonly BinaryNode[];
  /** Milliseconds. */
  editedAt?: number;
  /** A number for those who looked at it elsewhere, and the accounts of this network. */
  otherViews: number;
  readonly viewers: Set<Account>;
  readonly reactions: Map<Account, string>;
}

/** The posts of one channel. */
export class Posts {
  readonly #all: Post[];

  constructor(posts: readonly Post[] = []) {
    this.#all = [...posts];
  }

  /** Oldest first. */
  get all(): readonly Post[] {
    return this.#all;
  }

  add(node: BinaryNode): Post {
    const post: Post = {
      serverId: this.#all.length + 1,
      id: node.attrs.id ?? '',
      type: node.attrs.type ?? 'text',
      at: Math.floor(Date.now() / 1000),
      content: childrenOf(node),
      otherViews: 0,
      viewers: new Set(),
      reactions: new Map(),
    };
    this.#all.push(post);
    return post;
  }

  byId(id: string | undefined): Post | undefined {
    return this.#all.find((post) => post.id === id);
  }

  byServerId(serverId: string | number | undefined): Post | undefined {
    return this.#all[Number(serverId) - 1];
  }

  /** The newest `count` before that number, in order. */
  before(serverId: number, count: number): Post[] {
    return this.#all.slice(Math.max(0, serverId - 1 - count), Math.max(0, serverId - 1));
  }

  /** The oldest `count` behind that number. */
  after(serverId: number, count: number): Post[] {
    return this.#all.slice(serverId, serverId + count);
  }

  get newest(): number {
    return this.#all.length;
  }
}

/** As an answer lists it (whatsmeow notification.go parseNewsletterMessages). */
export function listed(post: Post): BinaryNode {
  const { serverId, id, type, at, content } = post;
  return stanza('message', { id, server_id: String(serverId), t: String(at), type }, [
    ...content,
    ...counts(post),
  ]);
}

/** What a live update says of it: the counts. */
export function counted(post: Post): BinaryNode {
  return stanza('message', { server_id: String(post.serverId) }, counts(post));
}

function counts({ otherViews, viewers, reactions }: Post): BinaryNode[] {
  const byCode = new Map<string, number>();
  for (const code of reactions.values()) byCode.set(code, (byCode.get(code) ?? 0) + 1);
  return [
    stanza('views_count', { count: String(otherViews + viewers.size) }),
    stanza(
      'reactions',
      {},
      [...byCode].map(([code, count]) => stanza('reaction', { code, count: String(count) })),
    ),
  ];
}
