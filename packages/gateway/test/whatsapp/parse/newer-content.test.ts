/** What the apps have sent only for some months, and what nobody here knows. */
import { expect, test } from 'vitest';
import { proto } from '../../../src/whatsapp/baileys/library.ts';
import { parseNewer, wordsIn } from '../../../src/whatsapp/baileys/parse/content/newer-content.ts';
import { parseContent } from '../../../src/whatsapp/baileys/parse/content-parser.ts';

const key = { remoteJid: '5511999990001@s.whatsapp.net', id: '3EB1', participant: '222222222222222@lid' };

test.each<[proto.IMessage, object]>([
  [{ stickerPackMessage: { name: 'Cats', caption: 'look' } }, { kind: 'sticker_pack', text: 'look' }],
  [{ stickerPackMessage: { name: 'Cats', caption: '' } }, { kind: 'sticker_pack', text: 'Cats' }],
  [{ pollResultSnapshotMessage: { name: 'When?' } }, { kind: 'poll_result', text: 'When?' }],
  [{ pollResultSnapshotMessageV3: { name: 'When?' } }, { kind: 'poll_result', text: 'When?' }],
  [
    { newsletterFollowerInviteMessageV2: { newsletterName: 'News', caption: 'read' } },
    { kind: 'newsletter_follow_invite', text: 'read' },
  ],
  [
    { newsletterFollowerInviteMessageV2: { newsletterName: 'News' } },
    { kind: 'newsletter_follow_invite', text: 'News' },
  ],
  [
    { richResponseMessage: { submessages: [{ messageText: 'one' }, {}, { messageText: 'two' }] } },
    { kind: 'text', text: 'one\ntwo' },
  ],
  [{ richResponseMessage: {} }, { kind: 'text', text: '' }],
  [
    { statusQuestionAnswerMessage: { key, text: 'yes' } },
    { kind: 'text', text: 'yes', targetId: '3EB1', targetSender: '222222222222222@lid' },
  ],
  [{ questionResponseMessage: { key, text: 'yes' } }, { kind: 'text', text: 'yes', targetId: '3EB1' }],
  [
    { statusQuotedMessage: { text: 'nice', originalStatusId: key } },
    { kind: 'text', text: 'nice', targetId: '3EB1' },
  ],
])('%j', (message, content) => {
  expect(parseContent(message)).toMatchObject(content);
});

test.each([
  'keepInChatMessage',
  'stickerSyncRmrMessage',
  'messageHistoryBundle',
  'messageHistoryNotice',
  'statusNotificationMessage',
  'statusStickerInteractionMessage',
] as const)('%s shows nothing in a chat', (name) => {
  expect(parseNewer({ [name]: {} })).toEqual({ kind: 'protocol' });
});

test('nothing of the kind', () => {
  expect(parseNewer({ conversation: 'hi' })).toBeNull();
});

test.each([
  [{ a: { title: 'T', text: 'X' } }, 'X'],
  [{ a: { caption: '', title: 'T' } }, 'T'],
  [{ a: { description: 'D', note: 'N' } }, 'N'],
  [{ a: { name: 'M', note: 'N' } }, 'M'],
  [{ a: 'words', b: { text: 'X' } }, 'X'],
  [{ a: null, b: { text: 'X' } }, 'X'],
  [{ a: { text: 7 }, b: { text: '' } }, null],
  [{}, null],
])('the words in %j are %j', (message, words) => {
  expect(wordsIn(message as proto.IMessage)).toBe(words);
});

/** What the library's schema has in a message, and what becomes of it with nothing in it. */
const WITHOUT_KIND: readonly string[] = [
  // Kept beside content, or an envelope with nothing inside.
  ...['senderKeyDistributionMessage', 'fastRatchetKeySenderKeyDistributionMessage', 'messageContextInfo'],
  ...['deviceSentMessage', 'viewOnceMessage', 'viewOnceMessageV2', 'viewOnceMessageV2Extension'],
  ...['ephemeralMessage', 'documentWithCaptionMessage', 'editedMessage', 'groupMentionedMessage'],
  ...[
    'botInvokeMessage',
    'lottieStickerMessage',
    'commentMessage',
    'eventCoverImage',
    'statusMentionMessage',
  ],
  ...['pollCreationOptionImageMessage', 'associatedChildMessage', 'groupStatusMentionMessage'],
  ...['pollCreationMessageV4', 'statusAddYours', 'groupStatusMessage', 'groupStatusMessageV2'],
  ...[
    'limitSharingMessage',
    'botTaskMessage',
    'questionMessage',
    'botForwardedMessage',
    'questionReplyMessage',
  ],
  // The key of a call, which travels in the call's own stanza; a chat, which no client sends any more.
  ...['call', 'chat'],
  // Told with the words in it.
  ...['invoiceMessage', 'bcallMessage'],
  // Of a kind that is sealed and not known.
  'secretEncryptedMessage',
];

test('every member of a message has a kind, or is named here', () => {
  const members = Object.entries(proto.Message.prototype).filter(([, value]) => typeof value !== 'function');
  const unknown = members
    .map(([name]) => name)
    .filter((name) => parseContent({ [name]: {} }).kind === 'unknown');
  expect(unknown.sort()).toEqual([...WITHOUT_KIND].sort());
});
