/** Channels ("newsletters") of an account. Nothing of them is kept here: each question goes to WhatsApp. */
import type { Clock } from '../clock.ts';
import type { Device } from '../devices/device.ts';
import { AppError, type ErrorCode, invalidField } from '../errors.ts';
import { isNewsletter, parseJid } from '../identity/jid.ts';
import { avatar } from '../sending/content/picture.ts';
import { type CreationAttempt, madeOnce } from '../sending/creations.ts';
import type { MediaInput, OutboundMediaSource } from '../sending/outbound-media.ts';
import type { Caller } from '../tenancy/caller.ts';
import { onSession, SESSION_FAILURES } from '../whatsapp/port/app-errors.ts';
import type { Jid } from '../whatsapp/port/identity.ts';
import type {
  DirectoryPage,
  DirectorySearch,
  NewNewsletter,
  Newsletter,
  NewsletterChange,
  NewsletterName,
  NewsletterPost,
  SessionNewsletters,
} from '../whatsapp/port/newsletters.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';

/** What this room asks of the devices; `Devices` fits. */
export interface NewsletterDevices {
  resolve(caller: Caller, deviceId?: string): Promise<Device>;
  /** Throws DEVICE_NOT_READY unless the device is connected. */
  session(device: Device): WhatsAppSession;
}

/** Whose channels are meant: those of the account that the device holds. */
export interface Whose {
  caller: Caller;
  deviceId: string | undefined;
}

/** How a question about channels can end, beside what choosing a device can. */
export const NEWSLETTER_FAILURES = [
  ...SESSION_FAILURES,
  'INVALID_RECIPIENT',
] as const satisfies readonly ErrorCode[];

/** Posts that the server gives at once (Baileys newsletterFetchMessages asks for no more; the apps page by 50). */
export const MOST_POSTS = 100;

export class Newsletters {
  readonly #devices: NewsletterDevices;
  readonly #media: OutboundMediaSource;
  readonly #clock: Clock;

  constructor(parts: { devices: NewsletterDevices; media: OutboundMediaSource; clock: Clock }) {
    this.#devices = parts.devices;
    this.#media = parts.media;
    this.#clock = parts.clock;
  }

  /** Those that the account follows or has. */
  list(whose: Whose): Promise<Newsletter[]> {
    return this.#ask(whose, (session) => session.list());
  }

  /** Throws NOT_FOUND when WhatsApp knows none. */
  find(whose: Whose, name: NewsletterName): Promise<Newsletter> {
    return this.#ask(whose, (session) => session.find(name));
  }

  /** `picture`: any that we read, cut to a square. Throws INVALID_MEDIA, PAYLOAD_TOO_LARGE. */
  async create(
    whose: Whose,
    { name, description, picture }: Omit<NewNewsletter, 'picture'> & { picture: MediaInput | null },
    attempt?: CreationAttempt,
  ): Promise<Newsletter> {
    const { caller, deviceId = attempt?.creation?.deviceId } = whose;
    const { tenantId } = caller;
    const jpeg = picture && (await avatar(this.#media.for({ tenantId }), picture, { field: 'picture' }));
    const device = await this.#devices.resolve(caller, deviceId);
    const { newsletters: session } = this.#devices.session(device);
    const alike = async (): Promise<Newsletter[]> =>
      (await session.list()).filter((each) => each.name.text === name && each.viewer?.role === 'owner');
    return onSession(() =>
      madeOnce(attempt, device, {
        now: this.#clock.now(),
        besides: async () => (await alike()).map(({ jid }) => jid),
        make: () => session.create({ name, description, picture: jpeg }),
        find: (jid) => session.find({ jid }),
        alike,
        nameOf: ({ jid }) => jid,
        createdAt: ({ createdAt }) => createdAt,
      }),
    );
  }

  /** Of those that everybody may find. */
  search(whose: Whose, search: DirectorySearch): Promise<DirectoryPage> {
    return this.#ask(whose, (session) => session.search(search));
  }

  /** Answers with the channel as it is now. `picture`: as in `create`, null takes it off. */
  async change(
    whose: Whose,
    jid: Jid,
    { picture, ...texts }: Omit<NewsletterChange, 'picture'> & { picture?: MediaInput | null },
  ): Promise<Newsletter> {
    const { tenantId } = whose.caller;
    const jpeg = picture && (await avatar(this.#media.for({ tenantId }), picture, { field: 'picture' }));
    return this.#ask(whose, async (session) => {
      await session.change(jid, { ...texts, ...(jpeg === undefined ? {} : { picture: jpeg }) });
      return session.find({ jid });
    });
  }

  /** For good. */
  remove(whose: Whose, jid: Jid): Promise<void> {
    return this.#ask(whose, (session) => session.remove(jid));
  }

  follow(whose: Whose, jid: Jid, follows: boolean): Promise<void> {
    return this.#ask(whose, (session) => session.follow(jid, follows));
  }

  mute(whose: Whose, jid: Jid, muted: boolean): Promise<void> {
    return this.#ask(whose, (session) => session.mute(jid, muted));
  }

  posts(whose: Whose, jid: Jid, page: { count: number; before: number | null }): Promise<NewsletterPost[]> {
    return this.#ask(whose, (session) => session.posts(jid, page));
  }

  /** Marks posts as looked at. Throws VALIDATION_ERROR for what is no number of a post. */
  view(whose: Whose, jid: Jid, serverIds: number[]): Promise<void> {
    return this.#ask(whose, (session) => session.view(jid, serverIds));
  }

  /** Events `newsletter.live_update` come for so many seconds; null when WhatsApp does not say for how long. */
  followLive(whose: Whose, jid: Jid): Promise<number | null> {
    return this.#ask(whose, (session) => session.followLive(jid));
  }

  /** An empty text takes the reaction back. */
  react(whose: Whose, jid: Jid, { serverId, emoji }: { serverId: number; emoji: string }): Promise<void> {
    return this.#ask(whose, (session) => session.react(jid, serverId, emoji === '' ? null : emoji));
  }

  async #ask<T>({ caller, deviceId }: Whose, call: (session: SessionNewsletters) => Promise<T>): Promise<T> {
    const session = this.#devices.session(await this.#devices.resolve(caller, deviceId));
    return onSession(() => call(session.newsletters));
  }
}

/** The JID of a channel, or INVALID_RECIPIENT. */
export function newsletterJid(text: string): Jid {
  const parsed = parseJid(text.trim());
  if (parsed?.server === 'newsletter') return `${parsed.user}@newsletter`;
  throw new AppError('INVALID_RECIPIENT', {
    message: `${text.slice(0, 100)} is not the JID of a channel, such as 120363039000000000@newsletter`,
  });
}

/** What stands before the code in a channel's link. */
const CHANNEL_LINK = /^(?:https?:\/\/)?(?:www\.)?whatsapp\.com\/channel\//i;
const CHANNEL_CODE = /^[\w-]{10,64}$/;

/**
 * What a path may name a channel by: its JID, its link or the end of that. Behind the code of a link may stand the
 * number of a post, and what apps and trackers append.
 */
export function newsletterName(text: string): NewsletterName {
  const written = text.trim();
  if (isNewsletter(written)) return { jid: newsletterJid(written) };
  const link = CHANNEL_LINK.exec(written)?.[0];
  const code = link === undefined ? written : written.slice(link.length).split(/[/?#]/, 1)[0];
  if (code && CHANNEL_CODE.test(code)) return { inviteCode: code };
  throw new AppError('INVALID_RECIPIENT', {
    message: `${text.slice(0, 100)} is neither the JID of a channel nor its link`,
  });
}

/** The server's numbers of posts, from 1 on. */
export function serverIds(field: string, given: readonly (string | number)[]): number[] {
  return given.map((each, index) => {
    const id = Number(each);
    if (Number.isSafeInteger(id) && id > 0) return id;
    throw invalidField(`${field}.${index}`, 'must be the number of a post, as in GET …/messages', each);
  });
}
