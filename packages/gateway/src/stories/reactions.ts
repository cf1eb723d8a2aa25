/** Reactions to the stories of contacts. */
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { MessageName } from '../identity/message-name.ts';
import type { MessageArchive } from '../messages/archive.ts';
import { type StoredMessage, senderOf } from '../messages/stored-message.ts';
import { findMessages } from '../messages/visible.ts';
import { accountOf } from '../sending/account.ts';
import { reactionText } from '../sending/content/reaction.ts';
import { type Delivered, deliver } from '../sending/delivery.ts';
import type { SendingDevices } from '../sending/pipeline.ts';
import type { Caller } from '../tenancy/caller.ts';
import { STORIES } from '../whatsapp/port/stories.ts';
import { isContactStory } from './inbox.ts';
import { RECIPIENT } from './story.ts';

export interface StoryReactionsParts {
  archive: MessageArchive;
  devices: SendingDevices;
  clock: Clock;
}

export class StoryReactions {
  readonly #parts: StoryReactionsParts;

  constructor(parts: StoryReactionsParts) {
    this.#parts = parts;
  }

  /**
   * Shows the author of a story an emoji on it; an empty one takes it back. Throws VALIDATION_ERROR for what is no
   * emoji, MESSAGE_NOT_FOUND, ACCOUNT_CHANGED and what a send throws.
   */
  async react(
    caller: Caller,
    name: MessageName,
    emoji: string,
  ): Promise<{ story: StoredMessage; sent: Delivered }> {
    const { archive, clock, devices } = this.#parts;
    const text = reactionText('reaction', emoji);
    const [story] = await findMessages({ archive, devices }, caller, name, isContactStory);
    if (!story) throw new AppError('MESSAGE_NOT_FOUND');
    const device = await devices.resolve(caller, story.deviceId);
    if (story.accountJid !== accountOf(device)) throw new AppError('ACCOUNT_CHANGED');
    const { jid, lid } = senderOf(story);
    const author = lid ?? jid ?? story.senderJid;
    const key = { remoteJid: STORIES, fromMe: false, id: story.messageId, participant: author };
    const sent = await deliver(archive, {
      session: devices.session(device),
      device,
      recipient: RECIPIENT,
      composed: {
        kind: 'reaction',
        text,
        targetId: story.messageId,
        targetSender: story.senderJid,
        message: { reactionMessage: { key, text, senderTimestampMs: clock.now() } },
        audience: [author],
      },
    });
    return { story, sent };
  }
}
