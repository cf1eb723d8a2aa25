/** Stories ("status"): posted to those who may see them, followed, taken back; and who may see them. */
import type { Clock } from '../clock.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import type { MessageName } from '../identity/message-name.ts';
import type { RecordId, TenantId } from '../ids.ts';
import type { MessageArchive } from '../messages/archive.ts';
import type { MessageDevice, StoredMessage } from '../messages/stored-message.ts';
import { findMessages, findOwnMessages } from '../messages/visible.ts';
import { accountOf, assertAccount } from '../sending/account.ts';
import type { Composed, Content } from '../sending/content.ts';
import { type Delivered, deliver, earlierDelivery, type SendAttempt } from '../sending/delivery.ts';
import type { OutboundMediaSource } from '../sending/outbound-media.ts';
import type { SendingDevices } from '../sending/pipeline.ts';
import type { Recipients } from '../sending/recipients.ts';
import type { Caller } from '../tenancy/caller.ts';
import { fromSession, onSession } from '../whatsapp/port/app-errors.ts';
import type { Jid } from '../whatsapp/port/identity.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';
import { STORIES, type StoryAudience, type StoryPrivacy } from '../whatsapp/port/stories.ts';
import { audienceOf, type SavedContacts } from './audience.ts';
import { isContactStory, isStory } from './inbox.ts';
import { FIRST_PORTION_MS, PORTION, RECIPIENT, type Story, sentTo } from './story.ts';
import type { StoryMove, StoryStore } from './story-store.ts';

export interface StoriesParts {
  devices: SendingDevices;
  archive: MessageArchive;
  recipients: Recipients;
  media: OutboundMediaSource;
  contacts: SavedContacts;
  store: StoryStore;
  clock: Clock;
  /** Takes the rest of an audience from the stored story on. */
  wake(): void;
}

export interface StoryRequest {
  deviceId: string | undefined;
  content: Content;
  /** Who is to see it; null: as the account's privacy says. */
  people: Jid[] | null;
  attempt?: SendAttempt | undefined;
  /** The account that it was accepted for; by default whichever the device holds. */
  account?: Jid | null | undefined;
  signal?: AbortSignal | undefined;
}

/** What a story is after its first portion. */
export interface PostedStory extends Delivered {
  /** Of its file. */
  mimeType?: string | undefined;
  /** Null when an earlier attempt of the request posted it. */
  story: Story | null;
}

export interface FollowedStory {
  story: Story;
  message: StoredMessage;
  views: number;
}

/** After these the server may have it all the same. */
const NO_ENDS: readonly ErrorCode[] = ['WHATSAPP_TIMEOUT', 'DEVICE_NOT_READY', 'STORAGE_UNAVAILABLE'];

function hasEnded(error: unknown): boolean {
  return error instanceof AppError && !NO_ENDS.includes(error.code);
}

/** `REVOKE` of waE2E.ProtocolMessage.Type. */
const REVOKE = 0;

export class Stories {
  readonly #parts: StoriesParts;

  constructor(parts: StoriesParts) {
    this.#parts = parts;
  }

  /**
   * Posts a story, and resolves when the server has it for the first portion of its audience; the rest follows, also
   * after a restart. Throws what a send throws.
   */
  async post(caller: Caller, request: StoryRequest): Promise<PostedStory> {
    const { archive, devices } = this.#parts;
    const { attempt } = request;
    const earlier = await earlierDelivery(archive, caller.tenantId, attempt);
    if (earlier) return { ...earlier, story: await this.#arrived(caller.tenantId, earlier.recordId) };
    const device = await devices.resolve(caller, attempt?.claimed?.deviceId ?? request.deviceId);
    assertAccount(device, attempt?.claimed?.account ?? request.account ?? null);
    const session = devices.session(device);
    const audience = await this.#audience(session, device, request.people);
    const composed = await this.#compose(session, device, request);
    return this.#publish({ caller, session, device, audience, composed, attempt });
  }

  /** Goes on behind the first portion: somebody has said that the server had it. */
  async #arrived(tenantId: TenantId, recordId: RecordId): Promise<Story | null> {
    const { clock, store, wake } = this.#parts;
    const story = await store.ofMessage(tenantId, recordId);
    if (story?.state !== 'posting' || story.position > 0) return story;
    const first = Math.min(PORTION, story.total);
    const moved = await store.move(story, sentTo(story.audience, first, clock.now()), clock.now());
    wake();
    return moved;
  }

  /** A story of ours that the caller may see; MESSAGE_NOT_FOUND otherwise. */
  async follow(caller: Caller, name: MessageName): Promise<FollowedStory> {
    const { archive, devices } = this.#parts;
    const followed = await this.#followed(await findOwnMessages({ archive, devices }, caller, name));
    if (!followed) throw new AppError('MESSAGE_NOT_FOUND', { message: 'no story of yours has this id' });
    return followed;
  }

  /**
   * A story that the caller may see, whosever it is; of one that was posted here also how far it is. Throws
   * MESSAGE_NOT_FOUND: so is one of somebody else that was taken back.
   */
  async find(
    caller: Caller,
    name: MessageName,
  ): Promise<{ message: StoredMessage; own: FollowedStory | null }> {
    const { archive, devices } = this.#parts;
    const fits = (each: StoredMessage) => (each.fromMe ? isStory(each) : isContactStory(each));
    const copies = await findMessages({ archive, devices }, caller, name, fits);
    const own = await this.#followed(copies.filter(({ fromMe }) => fromMe));
    const message = own?.message ?? copies[0];
    if (!message) throw new AppError('MESSAGE_NOT_FOUND');
    return { message, own };
  }

  async #followed(messages: readonly StoredMessage[]): Promise<FollowedStory | null> {
    const { store } = this.#parts;
    for (const message of messages) {
      const story = await store.ofMessage(message.tenantId, message.rowId);
      if (story) return { story, message, views: await store.views(message) };
    }
    return null;
  }

  /** Takes a story back, from all whom it has reached; nobody else gets it. */
  async delete(caller: Caller, name: MessageName): Promise<PostedStory> {
    const { clock, devices, store } = this.#parts;
    const { story, message } = await this.follow(caller, name);
    if (message.revokedAt !== null) throw new AppError('NOT_DELETABLE', { message: 'it is deleted already' });
    if (story.audience.length === 0)
      throw new AppError('NOT_DELETABLE', { message: 'nobody sees it any more' });
    const device = await devices.resolve(caller, story.deviceId);
    if (accountOf(device) !== story.account) throw new AppError('ACCOUNT_CHANGED');
    const session = devices.session(device);
    // First of all, so that no further portion leaves.
    await store.move(story, { state: 'deleted' }, clock.now());
    const reached = story.audience.slice(0, Math.max(story.position, PORTION));
    const composed: Composed = {
      kind: 'revoke',
      text: null,
      targetId: message.messageId,
      editAttribute: '7',
      message: {
        protocolMessage: { type: REVOKE, key: { remoteJid: STORIES, fromMe: true, id: message.messageId } },
      },
    };
    return this.#publish({ caller, session, device, audience: reached, composed, attempt: undefined });
  }

  /** Who sees the account's stories, the list that is used first. */
  async privacy(caller: Caller, deviceId: string | undefined): Promise<StoryPrivacy[]> {
    const { devices } = this.#parts;
    const session = devices.session(await devices.resolve(caller, deviceId));
    return onSession(() => session.stories.privacy());
  }

  /** Chooses who sees them from now on, on all devices of the account. Resolves with the list that was taken. */
  async setPrivacy(
    caller: Caller,
    { deviceId, audience, names }: { deviceId: string | undefined; audience: StoryAudience; names: Jid[] },
  ): Promise<Jid[]> {
    const { devices, recipients } = this.#parts;
    const device = await devices.resolve(caller, deviceId);
    const session = devices.session(device);
    const people = await recipients.people({ session, device, chat: null }, names);
    await onSession(() => session.account.change({ name: 'settings.status_privacy', audience, people }));
    return people.flatMap(({ jid, lid }) => jid ?? lid ?? []);
  }

  async #audience(session: WhatsAppSession, device: MessageDevice, named: Jid[] | null): Promise<Jid[]> {
    const { contacts, recipients } = this.#parts;
    const people = named && (await recipients.people({ session, device, chat: null }, named));
    return audienceOf({ session, device, contacts }, people);
  }

  async #compose(
    session: WhatsAppSession,
    device: MessageDevice,
    { content, signal }: StoryRequest,
  ): Promise<Composed> {
    const { clock, media, recipients } = this.#parts;
    try {
      return await content.compose({
        session,
        device,
        recipient: RECIPIENT,
        now: clock.now(),
        find: async () => null,
        people: (names) => recipients.people({ session, device, chat: null }, names),
        contextInfo: null,
        media: media.for({ tenantId: device.tenantId, signal }),
        signal,
      });
    } catch (error) {
      throw fromSession(error);
    }
  }

  async #publish(post: {
    caller: Caller;
    session: WhatsAppSession;
    device: MessageDevice;
    audience: Jid[];
    composed: Composed;
    attempt: SendAttempt | undefined;
  }): Promise<PostedStory> {
    const { archive, clock, store, wake } = this.#parts;
    const { caller, session, device, audience, composed, attempt } = post;
    const portion = audience.slice(0, PORTION);
    const owner = { tenantId: device.tenantId, deviceId: device.id, userId: caller.userId };
    let story: Story | null = null;
    const keep = async ({ rowId: messageRowId, messageId }: StoredMessage): Promise<void> => {
      const account = accountOf(device) ?? '';
      const times = { now: clock.now(), dueAt: clock.now() + FIRST_PORTION_MS };
      // Another attempt under the same id has begun it.
      const begun = attempt?.claimed
        ? await store.begin(owner.tenantId, messageRowId, audience, times)
        : null;
      story = begun ?? (await store.create({ ...owner, account, messageRowId, messageId, audience }, times));
    };
    const moved = async (move: StoryMove): Promise<Story | null> =>
      story && (await store.move(story, move, clock.now()));
    try {
      const delivered = await deliver(archive, {
        session,
        device,
        recipient: RECIPIENT,
        composed: { ...composed, audience: portion },
        attempt,
        stored: keep,
      });
      const mimeType = composed.media?.mimeType;
      const move = { ...sentTo(audience, portion.length, clock.now()), refused: delivered.missed ?? 0 };
      return { ...delivered, mimeType, story: await moved(move) };
    } catch (error) {
      // Of what may have left, the rest of the audience gets it as well.
      if (hasEnded(error)) await moved({ state: 'failed', error: (error as Error).message });
      throw error;
    } finally {
      wake();
    }
  }
}
