/** Who may have a story of ours again, where a device of theirs could not read it. */
import type { Clock } from '../clock.ts';
import type { SessionReports } from '../devices/composition.ts';
import { identityOf, sameIdentity } from '../identity/jid.ts';
import type { MessageArchive } from '../messages/archive.ts';
import type { MessageDevice, StoredMessage } from '../messages/stored-message.ts';
import { accountOf } from '../sending/account.ts';
import type { Identity } from '../whatsapp/port/identity.ts';
import { STORIES, STORY_MS } from '../whatsapp/port/stories.ts';
import type { StoryStore } from './story-store.ts';

export interface StoryResendingParts {
  archive: Pick<MessageArchive, 'stored' | 'contents'>;
  store: StoryStore;
  clock: Clock;
}

type Guarded = Pick<SessionReports, 'loadSentMessage'>;

export class StoryResending {
  readonly #parts: StoryResendingParts;

  constructor(parts: StoryResendingParts) {
    this.#parts = parts;
  }

  /** The same reports; of stories only to whom they are for. In a chat of thousands the chat says nothing. */
  guard(reports: Guarded): Guarded {
    return {
      loadSentMessage: async (device, chat, messageId, asker) => {
        if (chat.jid === STORIES && !(await this.#isFor(device, messageId, asker))) return null;
        return reports.loadSentMessage(device, chat, messageId, asker);
      },
    };
  }

  /** Also of those behind the portion that was sent last: its ack, which moves the story, may be behind the question. */
  async #isFor(device: MessageDevice, messageId: string, asker: Identity): Promise<boolean> {
    const { archive, store, clock } = this.#parts;
    const rows = await archive.stored.withId(device.tenantId, messageId);
    const row = rows.find((each) => each.deviceId === device.id && each.fromMe && each.chatJid === STORIES);
    if (row?.kind === 'reaction') return this.#isOf(row, asker);
    const story = row && (await store.ofMessage(device.tenantId, row.rowId));
    if (!story || story.state === 'deleted' || story.account !== accountOf(device)) return false;
    if (clock.now() - story.createdAt > STORY_MS) return false;
    return story.audience.some((jid) => sameIdentity(identityOf(jid), asker));
  }

  /** A reaction of ours is for whoever posted the story, whom its key names. */
  async #isOf(reaction: StoredMessage, asker: Identity): Promise<boolean> {
    const { archive, clock } = this.#parts;
    if (clock.now() - reaction.timestamp > STORY_MS) return false;
    const message = await archive.contents.wire(reaction);
    const { key } = (message?.reactionMessage ?? {}) as { key?: { participant?: string | null } | null };
    return key?.participant ? sameIdentity(identityOf(key.participant), asker) : false;
  }
}
