/** The stories of contacts: listed by contact, read, and marked as seen. */
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { MessageName } from '../identity/message-name.ts';
import type { MessageArchive } from '../messages/archive.ts';
import type { DescribedMessage } from '../messages/finding/described-message.ts';
import type { MessageFinder } from '../messages/finding/finder.ts';
import { NOT_READ } from '../messages/shown-kinds.ts';
import { type MessageDevice, type StoredMessage, senderOf } from '../messages/stored-message.ts';
import { findMessages } from '../messages/visible.ts';
import { accountOf } from '../sending/account.ts';
import type { SendingDevices } from '../sending/pipeline.ts';
import { readTimedCursor, timedCursor } from '../storage/page-cursor.ts';
import type { Caller } from '../tenancy/caller.ts';
import { onSession } from '../whatsapp/port/app-errors.ts';
import type { Jid } from '../whatsapp/port/identity.ts';
import type { OwnRead } from '../whatsapp/port/receipts.ts';
import { STORIES, STORY_MS } from '../whatsapp/port/stories.ts';
import type { InboxStore, KnownContact, PostedByContact } from './inbox-store.ts';

export interface StoryInboxParts {
  store: InboxStore;
  archive: MessageArchive;
  finder: Pick<MessageFinder, 'described'>;
  devices: SendingDevices;
  clock: Clock;
}

export interface InboxFilter {
  deviceId: string | undefined;
  /** Names that one contact may go by, the given one first. */
  contact?: readonly Jid[] | undefined;
  /** Those posted at this time or later, milliseconds; default: as long as WhatsApp shows them. */
  sinceMs?: number | undefined;
  /** Only contacts with stories that were not seen, and only those of them; or only those that were. */
  seen?: boolean | undefined;
  limit: number;
  cursor?: string | undefined;
}

/** A story of somebody else. */
export interface ContactStory {
  described: DescribedMessage;
  /** Milliseconds; null: not yet. */
  seenAt: number | null;
}

/** What one contact has posted. */
export interface ContactStories extends KnownContact {
  /** The newest first, no more than a page has. */
  stories: ContactStory[];
  /** All that there are. */
  count: number;
  unseen: number;
  /** Of the newest, milliseconds. */
  lastAt: number;
}

export interface InboxPage {
  contacts: ContactStories[];
  nextCursor: string | null;
}

/** Each is opened and read: more would hold up other requests. */
const MOST_OF_PAGE = 200;
const MOST_OF_CONTACT = 30;
/** Of what is asked for: the apps keep none for longer than a day, and lists of messages have all. */
const LONGEST_BACK_MS = 30 * 24 * 3600_000;

interface Posted extends PostedByContact {
  seenAt: number | null;
}

interface Author {
  author: Jid;
  lastAt: number;
  all: [Posted, ...Posted[]];
}

export class StoryInbox {
  readonly #parts: StoryInboxParts;

  constructor(parts: StoryInboxParts) {
    this.#parts = parts;
  }

  /** By contact, the one who posted last first. Throws DEVICE_NOT_FOUND, and VALIDATION_ERROR for the cursor. */
  async list(caller: Caller, filter: InboxFilter): Promise<InboxPage> {
    const { clock, devices, store } = this.#parts;
    const device = await devices.resolve(caller, filter.deviceId);
    const after = filter.cursor === undefined ? null : readTimedCursor(filter.cursor);
    const now = clock.now();
    const since = Math.max(filter.sinceMs ?? now - STORY_MS, now - LONGEST_BACK_MS);
    const authors = byAuthor(await this.#posted(device, since, filter)).filter(
      ({ author, lastAt }) =>
        after === null || lastAt < after.at || (lastAt === after.at && author > after.name),
    );
    const mostOfEach = filter.contact ? MOST_OF_PAGE : MOST_OF_CONTACT;
    const page = withinBounds(authors, filter.limit, mostOfEach);
    const known = await store.known(
      device,
      page.map(({ author }) => author),
    );
    const ids = page.flatMap(({ all }) => all.slice(0, mostOfEach).map(({ rowId }) => rowId));
    const described = await this.#parts.finder.described(caller, [device], ids);
    const byId = new Map(described.map((each) => [each.message.rowId, each]));
    const last = page.length < authors.length ? page.at(-1) : undefined;
    return {
      contacts: page.map(({ author, lastAt, all }) => ({
        ...(known.get(author) ?? { name: null, muted: false }),
        stories: all.flatMap(({ rowId, seenAt }) => {
          const found = byId.get(rowId);
          return found ? { described: found, seenAt } : [];
        }),
        count: all.length,
        unseen: all.filter(({ seenAt }) => seenAt === null).length,
        lastAt,
      })),
      nextCursor: last ? timedCursor({ at: last.lastAt, name: last.author }) : null,
    };
  }

  /** When a story of somebody else was seen, and how the contact is shown. */
  async about(caller: Caller, message: StoredMessage): Promise<KnownContact & { seenAt: number | null }> {
    const { devices, store } = this.#parts;
    const device = (await devices.list(caller, 'visible')).find(({ id }) => id === message.deviceId);
    const known = device && (await store.known(device, [message.senderJid]));
    const seenAt = await store.seenAt(message);
    return { ...(known?.get(message.senderJid) ?? { name: null, muted: false }), seenAt };
  }

  /**
   * Tells the author that it was seen, unless the device or the account hides what it reads; once. Throws
   * MESSAGE_NOT_FOUND, ACCOUNT_CHANGED, DEVICE_NOT_READY. Resolves with the time in milliseconds.
   */
  async see(caller: Caller, name: MessageName): Promise<{ story: StoredMessage; seenAt: number }> {
    const { archive, clock, devices, store } = this.#parts;
    const [story] = await findMessages({ archive, devices }, caller, name, isContactStory);
    if (!story) throw new AppError('MESSAGE_NOT_FOUND');
    const before = await store.seenAt(story);
    if (before !== null) return { story, seenAt: before };
    const device = await devices.resolve(caller, story.deviceId);
    if (story.accountJid !== accountOf(device)) throw new AppError('ACCOUNT_CHANGED');
    const session = devices.session(device);
    const at = clock.now();
    const receipt = { kind: 'read' as const, chat: { jid: STORIES, lid: null }, sender: senderOf(story), at };
    await onSession(() => session.receipts.send({ ...receipt, messageIds: [story.messageId] }));
    await store.see(story, at);
    // The session has told it as well, as of any receipt: the first time counts.
    return { story, seenAt: (await store.seenAt(story)) ?? at };
  }

  /** The phone, or another device of the account, looked at stories. */
  async sawElsewhere(device: MessageDevice, { chat, messageIds, sender }: OwnRead): Promise<void> {
    if (chat.jid !== STORIES) return;
    const ids = messageIds.slice(0, MOST_IDS);
    await this.#parts.store.sawElsewhere(
      device,
      { messageIds: ids, author: sender },
      this.#parts.clock.now(),
    );
  }

  async #posted(device: MessageDevice, since: number, filter: InboxFilter): Promise<Posted[]> {
    const { store } = this.#parts;
    const seen = await store.seenSince(device, since);
    const by = filter.contact && (await store.authorsNamed(device, filter.contact));
    const posted = await store.posted(device, since, by);
    const all = posted.map((each) => ({ ...each, seenAt: seen.get(each.rowId) ?? null }));
    return filter.seen === undefined ? all : all.filter(({ seenAt }) => (seenAt !== null) === filter.seen);
  }
}

/** A receipt names as many as it likes. */
const MOST_IDS = 500;

/** What somebody else posted, and what still stands. */
export function isContactStory(message: StoredMessage): boolean {
  return isStory(message) && !message.fromMe && message.revokedAt === null;
}

/** A story as such, and no change of one. */
export function isStory({ chatJid, kind }: StoredMessage): boolean {
  return chatJid === STORIES && !NOT_READ.includes(kind);
}

/** The authors, who posted last first; `posted` has the newest first. */
function byAuthor(posted: readonly Posted[]): Author[] {
  const authors = new Map<Jid, Author>();
  for (const each of posted) {
    const known = authors.get(each.author);
    if (known) known.all.push(each);
    else authors.set(each.author, { author: each.author, lastAt: each.at, all: [each] });
  }
  return [...authors.values()].sort((a, b) => b.lastAt - a.lastAt || (a.author < b.author ? -1 : 1));
}

/** As many contacts as asked for, and as their stories leave room for; one at least. */
function withinBounds(authors: readonly Author[], limit: number, mostOfEach: number): Author[] {
  const page: Author[] = [];
  let stories = 0;
  for (const each of authors.slice(0, limit)) {
    stories += Math.min(each.all.length, mostOfEach);
    if (page.length > 0 && stories > MOST_OF_PAGE) break;
    page.push(each);
  }
  return page;
}
