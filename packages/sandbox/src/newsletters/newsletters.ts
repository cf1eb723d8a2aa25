import { randomBytes, randomInt } from 'node:crypto';
import type { BinaryNode } from 'baileys';
import type { Delivery } from '../delivery/delivery.ts';
import type { Account, Picture, RegisteredDevice } from '../state/directory.ts';
import { SERVER_JID, stanza, timestamp } from '../wire/stanza.ts';
import { counted, type Post, Posts } from './posts.ts';

/** A channel as its followers see it. */
export interface Newsletter {
  /** `120363…@newsletter` */
  readonly jid: string;
  title: string;
  description: string;
  /** The end of its link, `whatsapp.com/channel/…`. */
  readonly inviteCode: string;
  readonly createdAt: number;
  owner: Account | undefined;
  picture: Picture | undefined;
  readonly followers: Map<Account, { muted: boolean }>;
  /** Beside the owner. */
  readonly admins: Set<Account>;
  /** Who may become an admin, and until when: seconds since the epoch. */
  readonly invited: Map<Account, number>;
  readonly posts: Posts;
}

/** A channel as it is written down: a class would come back without its methods. */
export type KeptNewsletter = Omit<Newsletter, 'posts'> & { readonly posts: readonly Post[] };

/** What changed on one post. */
export interface PostUpdate {
  /** The server's number of the post in its channel. */
  readonly serverId: number;
  readonly views?: number;
  /** Reactions by emoji: how many. */
  readonly reactions?: Readonly<Record<string, number>>;
}

/** The channels of the network: who follows them, and what their followers' devices are told. */
export class Newsletters {
  readonly #delivery: Delivery;
  readonly #byJid = new Map<string, Newsletter>();
  /** Who is told of counts, and until when: milliseconds. Nobody after a restart. */
  readonly #live = new Map<Newsletter, Map<RegisteredDevice, number>>();

  constructor(delivery: Delivery) {
    this.#delivery = delivery;
  }

  /** An owner sees the channel among those that it follows. */
  create(
    title: string,
    options: { owner?: Account; description?: string; picture?: Picture } = {},
  ): Newsletter {
    const newsletter: Newsletter = {
      jid: `1203634${String(randomInt(10 ** 10, 10 ** 11 - 1))}@newsletter`,
      title,
      description: options.description ?? '',
      inviteCode: randomBytes(12).toString('base64url'),
      createdAt: Math.floor(Date.now() / 1000),
      owner: options.owner,
      picture: options.picture,
      followers: new Map(),
      admins: new Set(),
      invited: new Map(),
      posts: new Posts(),
    };
    if (options.owner) newsletter.followers.set(options.owner, { muted: false });
    this.#byJid.set(newsletter.jid, newsletter);
    return newsletter;
  }

  kept(): readonly KeptNewsletter[] {
    return [...this.#byJid.values()].map((newsletter) => ({ ...newsletter, posts: newsletter.posts.all }));
  }

  restore(newsletters: readonly KeptNewsletter[]): void {
    for (const { posts, ...newsletter } of newsletters) {
      // A folder of before there were admins has none.
      const { admins = new Set(), invited = new Map() } = newsletter as Partial<KeptNewsletter>;
      this.#byJid.set(newsletter.jid, { ...newsletter, admins, invited, posts: new Posts(posts) });
    }
  }

  get all(): readonly Newsletter[] {
    return [...this.#byJid.values()];
  }

  get(jid: string): Newsletter | undefined {
    return this.#byJid.get(jid);
  }

  byInviteCode(code: string): Newsletter | undefined {
    return [...this.#byJid.values()].find(({ inviteCode }) => inviteCode === code);
  }

  followedBy(account: Account): Newsletter[] {
    return [...this.#byJid.values()].filter(({ followers }) => followers.has(account));
  }

  follow(newsletter: Newsletter, by: RegisteredDevice): void {
    newsletter.followers.set(by.account, { muted: false });
    this.#tellOthers(by, 'NotificationNewsletterJoin', {
      xwa2_notify_newsletter_on_join: metadata(newsletter, by.account),
    });
  }

  unfollow(newsletter: Newsletter, by: RegisteredDevice): void {
    newsletter.followers.delete(by.account);
    newsletter.admins.delete(by.account);
    this.#tellOthers(by, 'NotificationNewsletterLeave', {
      xwa2_notify_newsletter_on_leave: { id: newsletter.jid, role: 'GUEST' },
    });
  }

  /** For good: its followers' devices hear that they follow it no more, the owner's others too. */
  delete(newsletter: Newsletter, by: RegisteredDevice): void {
    this.#byJid.delete(newsletter.jid);
    for (const account of newsletter.followers.keys()) {
      this.#tell(account, by, 'NotificationNewsletterLeave', {
        xwa2_notify_newsletter_on_leave: { id: newsletter.jid, role: 'GUEST' },
      });
    }
  }

  mute(newsletter: Newsletter, by: RegisteredDevice, muted: boolean): void {
    newsletter.followers.set(by.account, { muted });
    this.#tellOthers(by, 'NotificationNewsletterMuteChange', {
      xwa2_notify_newsletter_on_mute_change: { id: newsletter.jid, mute: muted ? 'ON' : 'OFF' },
    });
  }

  /**
   * Counts of views and reactions, for all devices of the followers (whatsmeow notification.go
   * parseNewsletterMessages).
   */
  liveUpdate(jid: string, posts: readonly PostUpdate[]): void {
    const newsletter = this.#byJid.get(jid);
    if (!newsletter) throw new Error(`no newsletter ${jid}`);
    for (const account of newsletter.followers.keys()) {
      for (const device of account.devices.values()) {
        this.#tellLive(newsletter, device, posts.map(post));
      }
    }
  }

  /** A device is told of counts for so many seconds from now. */
  followLive(newsletter: Newsletter, device: RegisteredDevice, seconds: number): void {
    const followers = this.#live.get(newsletter) ?? new Map<RegisteredDevice, number>();
    this.#live.set(newsletter, followers.set(device, Date.now() + seconds * 1000));
  }

  /** Views and reactions of posts, for the devices that asked for them (whatsmeow NewsletterSubscribeLiveUpdates). */
  tellCounts(newsletter: Newsletter, posts: readonly Post[]): void {
    for (const [device, until] of this.#live.get(newsletter) ?? []) {
      if (until > Date.now()) this.#tellLive(newsletter, device, posts.map(counted));
    }
  }

  #tellLive({ jid }: Newsletter, device: RegisteredDevice, posts: BinaryNode[]): void {
    this.#delivery.post(
      device,
      stanza('notification', { from: jid, type: 'newsletter', id: this.#delivery.nextId(), t: timestamp() }, [
        stanza('live_updates', {}, [stanza('messages', { jid, t: timestamp() }), ...posts]),
      ]),
    );
  }

  #tellOthers(by: RegisteredDevice, operation: string, data: object): void {
    this.#tell(by.account, by, operation, data);
  }

  #tell(account: Account, by: RegisteredDevice, operation: string, data: object): void {
    const payload = Buffer.from(JSON.stringify({ data }), 'utf8');
    for (const device of account.devices.values()) {
      if (device === by) continue;
      this.#delivery.post(
        device,
        stanza(
          'notification',
          { from: SERVER_JID, type: 'mex', id: this.#delivery.nextId(), t: timestamp() },
          [stanza('update', { op_name: operation }, payload)],
        ),
      );
    }
  }
}

function post({ serverId, views, reactions }: PostUpdate): BinaryNode {
  const children: BinaryNode[] = [];
  if (views !== undefined) children.push(stanza('views_count', { count: String(views) }));
  if (reactions !== undefined) {
    const counts = Object.entries(reactions).map(([code, count]) =>
      stanza('reaction', { code, count: String(count) }),
    );
    children.push(stanza('reactions', {}, counts));
  }
  return stanza('message', { server_id: String(serverId) }, children);
}

/** As the GraphQL answers name things (whatsmeow types/newsletter.go NewsletterMetadata). */
export function metadata(newsletter: Newsletter, viewer: Account): object {
  const { picture } = newsletter;
  const follower = newsletter.followers.get(viewer);
  return {
    id: newsletter.jid,
    state: { type: 'ACTIVE' },
    thread_metadata: {
      creation_time: String(newsletter.createdAt),
      name: { text: newsletter.title, id: String(newsletter.createdAt), update_time: '0' },
      invite: newsletter.inviteCode,
      description: { text: newsletter.description, id: String(newsletter.createdAt), update_time: '0' },
      subscribers_count: String(newsletter.followers.size),
      verification: 'UNVERIFIED',
      ...(picture && { picture: { id: picture.id, type: 'IMAGE', direct_path: picture.directPath } }),
    },
    viewer_metadata: {
      mute: follower?.muted ? 'ON' : 'OFF',
      role: roleIn(newsletter, viewer),
    },
  };
}

export type NewsletterRole = 'OWNER' | 'ADMIN' | 'SUBSCRIBER' | 'GUEST';

/** What an account is to a channel (whatsmeow types/newsletter.go NewsletterRole). */
export function roleIn(newsletter: Newsletter, account: Account): NewsletterRole {
  if (newsletter.owner === account) return 'OWNER';
  if (newsletter.admins.has(account)) return 'ADMIN';
  return newsletter.followers.has(account) ? 'SUBSCRIBER' : 'GUEST';
}

/** Whether it may publish and change the channel. */
export function runs(newsletter: Newsletter, account: Account): boolean {
  return newsletter.owner === account || newsletter.admins.has(account);
}
