/** Tag `messages`: words and reactions. */
import { Type } from 'typebox';
import { invalidField } from '../../../errors.ts';
import { isGroupJid } from '../../../identity/jid.ts';
import { LONGEST_PREVIEW_DESCRIPTION, LONGEST_PREVIEW_TITLE } from '../../../sending/content/link-preview.ts';
import { reactionContent } from '../../../sending/content/reaction.ts';
import { textContent } from '../../../sending/content/text.ts';
import { LONGEST_TAG, textMentionsContent } from '../../../sending/content/text-mentions.ts';
import { recipientOf } from '../../../sending/recipients.ts';
import { notBoth, optionalWords, refusing, stated } from '../../description/stated.ts';
import { base64Text, fileAddress } from '../../request/bounds.ts';
import { emptyCounts } from '../../request/given.ts';
import { messageIdText } from '../../request/message.ts';
import { Nullable } from '../../schemas.ts';
import { flag, given, longText, required, type SendRoute } from './send-kind.ts';

const Position = refusing(
  'an end that is not behind the start',
  Type.Array(Type.Integer({ minimum: 0 }), {
    minItems: 2,
    maxItems: 2,
    description: 'Where its tag stands in the text: [start, end] in characters, end not included',
  }),
);

const Preview = stated(
  Type.Object(
    {
      url: Type.Optional(
        refusing(
          'what does not stand in the text',
          Type.String({ description: 'The address in the text; default: the first' }),
        ),
      ),
      title: stated(Type.String({ minLength: 1 }), { maxLength: LONGEST_PREVIEW_TITLE }),
      description: optionalWords(LONGEST_PREVIEW_DESCRIPTION, 'At most 1000 characters'),
      thumbnail: base64Text('Picture, base64'),
      thumbnail_url: fileAddress('Public URL of it'),
    },
    { description: 'Shown under the text instead of what the page says' },
  ),
  { allOf: [notBoth('thumbnail', 'thumbnail_url')] },
);

export function textKinds(route: SendRoute): void {
  route({
    path: '/send/text',
    operationId: 'sendText',
    summary: 'Send a text',
    fields: {
      text: longText('1–4096 characters'),
      link_preview: flag('Read the page behind the first link and show title, description and picture'),
      preview: Type.Optional(Preview),
    },
    example: { number: '5511999999999', text: 'Hello!', delay: 0, typingDuration: 2 },
    content: ({ text, link_preview, preview }) =>
      textContent(
        preview
          ? { text, ...given({ link_preview }), preview: withoutUndefined(preview) }
          : { text, ...given({ link_preview }) },
      ),
  });

  route({
    path: '/send/text/mentions',
    operationId: 'sendTextMentions',
    summary: 'Send a text to a group that mentions people',
    fields: {
      text: refusing('one that is longer with the tags in it', longText('1–4096 characters')),
      mentions: refusing(
        'neither `mentionAll` nor anybody in `specificUsers`',
        Type.Object({
          mentionAll: flag('Mention everybody in the group'),
          mentionAllPosition: Type.Optional(Position),
          silent: flag('Notify without a tag in the text'),
          specificUsers: Type.Optional(Users()),
        }),
      ),
    },
    example: {
      number: '120363039000000000@g.us',
      text: 'Please @John, have a look',
      mentions: {
        specificUsers: [{ jid: '5511999999999@s.whatsapp.net', name: 'John', position: [7, 12] }],
      },
    },
    content: (body) => {
      const address = recipientOf(body);
      if (address.kind !== 'chat' || !isGroupJid(address.jid)) {
        const field = body.number === undefined ? 'to' : 'number';
        throw invalidField(field, 'must be the JID of a group (…@g.us)', body[field]);
      }
      const { mentions } = body;
      return textMentionsContent({
        text: body.text,
        mentions: given({
          mentionAll: mentions.mentionAll,
          mentionAllPosition: mentions.mentionAllPosition,
          silent: mentions.silent,
          specificUsers: mentions.specificUsers?.map(withoutUndefined),
        }),
      });
    },
  });

  route({
    path: '/send/reaction',
    operationId: 'sendReaction',
    summary: 'React to a message, or take the reaction back',
    namesTarget: true,
    stated: { required: ['messageId'] },
    fields: {
      messageId: Type.Optional(messageIdText('The message to react to: its id or `record_id`')),
      reaction: emptyCounts(
        refusing(
          'what is not one emoji',
          Nullable(Type.String({ description: 'One emoji; empty or null takes the reaction back' })),
        ),
      ),
      fromMe: flag('The message is ours; default: as stored'),
      participant: Type.Optional(
        refusing(
          'nobody, for a message of a group that is not stored',
          Type.String({
            description:
              'JID or number of its author, for a message of somebody else in a group; default: as stored',
          }),
        ),
      ),
    },
    example: { number: '5511999999999', messageId: '3EB0F8A1B2C3D4E5F6', reaction: '👍' },
    content: (body) =>
      reactionContent({
        messageId: required('messageId', body.messageId),
        reaction: body.reaction ?? '',
        ...given({ fromMe: body.fromMe, participant: body.participant }),
      }),
  });
}

function Users() {
  return Type.Array(
    Type.Object({
      jid: refusing('what is neither', Type.String({ description: 'JID or phone number' })),
      name: optionalWords(LONGEST_TAG, 'The name in its tag, at most 100 characters'),
      position: Type.Optional(Position),
    }),
    { maxItems: 2048 },
  );
}

const withoutUndefined = <T extends object>(members: T) => given(members) as T;
