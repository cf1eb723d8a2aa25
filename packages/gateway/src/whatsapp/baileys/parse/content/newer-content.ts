/** What the apps have sent only for some months, and what has no type of its own: as far as it can be read. */
import { contentMembers } from '../../../port/envelopes.ts';
import type { proto } from '../../library.ts';
import { descriptor } from './media-content.ts';
import type { Parsed } from './parsed.ts';

type Message = proto.IMessage;

/**
 * What apps tell each other, and no chat shows: that a disappearing message is kept, which stickers are wanted anew,
 * that a member was given the group's past (its file is for him), that a story was passed on or touched.
 */
const NOTHING_SHOWN: readonly (keyof Message)[] = [
  'keepInChatMessage',
  'stickerSyncRmrMessage',
  'messageHistoryBundle',
  'messageHistoryNotice',
  'statusNotificationMessage',
  'statusStickerInteractionMessage',
];

/** Null for what has nothing that is read here. */
export function parseNewer(m: Message): Parsed | null {
  if (m.stickerPackMessage) {
    const { caption, name, contextInfo: context } = m.stickerPackMessage;
    // A zip, whose type nothing says (zapo media/sticker/sticker-pack.ts).
    const fields = {
      ...m.stickerPackMessage,
      mimetype: 'application/zip',
      fileName: name ? `${name}.zip` : null,
    };
    const file = descriptor('sticker_pack', fields);
    return { kind: 'sticker_pack', text: caption || name, files: file ? [file] : [], context };
  }
  const result = m.pollResultSnapshotMessage ?? m.pollResultSnapshotMessageV3;
  if (result) return { kind: 'poll_result', text: result.name, context: result.contextInfo };
  const follow = m.newsletterFollowerInviteMessageV2;
  if (follow) {
    const { caption, newsletterName, contextInfo: context } = follow;
    return { kind: 'newsletter_follow_invite', text: caption || newsletterName, context };
  }
  if (m.requestPhoneNumberMessage) {
    return { kind: 'phone_number_request', context: m.requestPhoneNumberMessage.contextInfo };
  }
  // The phone alone has the message: it was masked for linked devices (PlaceholderType MASK_LINKED_DEVICES).
  if (m.placeholderMessage) return { kind: 'placeholder' };
  return parseAnswers(m) ?? (NOTHING_SHOWN.some((name) => m[name]) ? { kind: 'protocol' } : null);
}

/** Texts, in forms of their own. */
function parseAnswers(m: Message): Parsed | null {
  if (m.richResponseMessage) {
    const { submessages, contextInfo: context } = m.richResponseMessage;
    // An assistant's: its tables, pictures and formulas are in members that say nothing without the app.
    const text = (submessages ?? []).flatMap(({ messageText }) => messageText || []).join('\n');
    return { kind: 'text', text, context };
  }
  const answer = m.statusQuestionAnswerMessage ?? m.questionResponseMessage;
  if (answer) {
    return {
      kind: 'text',
      text: answer.text,
      targetId: answer.key?.id,
      targetSender: answer.key?.participant,
    };
  }
  const quoted = m.statusQuotedMessage;
  return quoted ? { kind: 'text', text: quoted.text, targetId: quoted.originalStatusId?.id } : null;
}

/** Members that hold what a person wrote, in whatever message; the first that is there says the most. */
const WORDS = ['text', 'caption', 'title', 'name', 'note', 'description'];

/** Of a type that nobody here knows: the words in it. */
export function wordsIn(m: Message): string | null {
  for (const name of contentMembers(m)) {
    const content = m[name as keyof Message];
    if (typeof content !== 'object' || content === null) continue;
    const said = WORDS.map((word) => (content as Record<string, unknown>)[word]);
    const found = said.find((each) => typeof each === 'string' && each !== '');
    if (typeof found === 'string') return found;
  }
  return null;
}
