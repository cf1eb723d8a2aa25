import { invalidField } from '../../errors.ts';
import { isNewsletter } from '../../identity/jid.ts';
import type { ComposeContext, Content } from '../content.ts';
import { messageIdOf, messageKey } from '../message-key.ts';

export interface ReactionInput {
  messageId: string;
  /** One emoji; empty takes the reaction back. */
  reaction: string;
  /** Default: as our archive says, else false. */
  fromMe?: boolean;
  /** JID of the message's author, in a group. Default: as our archive says. */
  participant?: string;
}

/** Pictographs, flags and key caps. */
const EMOJI = /\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|[#*0-9]\uFE0F?\u20E3/u;
const characters = new Intl.Segmenter('en', { granularity: 'grapheme' });

function isOneEmoji(text: string): boolean {
  // The longest, a kiss with two skin tones, has 15 code units.
  return text.length <= 40 && EMOJI.test(text) && [...characters.segment(text)].length === 1;
}

/** An emoji, or nothing, which takes a reaction back; VALIDATION_ERROR for anything else. */
export function reactionText(field: string, text: string): string {
  if (text === '' || isOneEmoji(text)) return text;
  throw invalidField(field, 'must be one emoji, or empty to take the reaction back', text.slice(0, 50));
}

/** In a channel a reaction names the post by the number that the server gave it. */
async function numberOfPost(context: ComposeContext, id: string): Promise<number> {
  const post = await context.find(id);
  if (post?.serverId) return post.serverId;
  throw invalidField(
    'messageId',
    'is no post of the channel that is known here: react by its server_id (POST /newsletters/{jid}/reaction)',
    id,
  );
}

/** A reaction to a message (waE2E.ReactionMessage). */
export function reactionContent(input: ReactionInput): Content {
  const id = messageIdOf('messageId', input.messageId);
  const emoji = reactionText('reaction', input.reaction);
  return {
    chatState: 'composing',
    compose: async (context) => {
      const key = await messageKey(context, id, input);
      return {
        kind: 'reaction',
        text: emoji,
        targetId: key.id,
        ...(isNewsletter(context.recipient.to) ? { postServerId: await numberOfPost(context, id) } : {}),
        message: { reactionMessage: { key, text: emoji, senderTimestampMs: context.now } },
        metadata: { original_message_id: key.id, reaction_emoji: emoji },
      };
    },
  };
}
