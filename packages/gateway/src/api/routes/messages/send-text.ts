/** Tag "messages": words and reactions. */
import { Type } from 'typebox';
import { invalidField } from '../../../errors.ts';
import { reactionContent } from '../../../sending/content/reaction.ts';
import { textContent } from '../../../sending/content/text.ts';
import { textMentionsContent } from '../../../sending/content/text-mentions.ts';
import { recipientOf } from '../../../sending/recipients.ts';
import { base64Text } from '../../request/bounds.ts';
import { flag, given, required, type SendRoute, text } from './send-kind.ts';

const Position = Type.Array(Type.Integer({ minimum: 0 }), {
  minItems: 2,
  maxItems: 2,
  description: 'Where its tag stands in the text: [start, end] in characters, end not included',
});

const Preview = Type.Object(
  {
    url: text('The address in the text; default: the first'),
    title: Type.String({ minLength: 1 }),
    description: text('At most 1000 characters'),
    thumbnail: base64Text('Picture, base64'),
    thumbnail_url: text('Public URL of it'),
  },
  { description: 'Shown under the text instead of what the page says' },
);

export function textKinds(route: SendRoute): void {
  route({
    path: '/send/text',
    operationId: 'sendText',
    summary: 'Send a text',
    fields: {
      text: Type.String({ description: '1–4096 characters', examples: ['Hello!'] }),
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
      text: Type.String({ description: '1–4096 characters' }),
      mentions: Type.Object({
        mentionAll: flag('Mention everybody in the group'),
        mentionAllPosition: Type.Optional(Position),
        silent: flag('Notify without a tag in the text'),
        specificUsers: Type.Optional(Users()),
      }),
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
      if (address.kind !== 'chat' || !address.jid.endsWith('@g.us')) {
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
    fields: {
      messageId: text('The message to react to: its id or `record_id`'),
      reaction: Type.String({ description: 'One emoji; empty takes the reaction back' }),
      fromMe: flag('The message is ours; default: as stored'),
      participant: text(
        'JID or number of its author, for a message of somebody else in a group; default: as stored',
      ),
    },
    example: { number: '5511999999999', messageId: '3EB0F8A1B2C3D4E5F6', reaction: '👍' },
    content: (body) =>
      reactionContent({
        messageId: required('messageId', body.messageId),
        reaction: body.reaction,
        ...given({ fromMe: body.fromMe, participant: body.participant }),
      }),
  });
}

function Users() {
  return Type.Array(
    Type.Object({
      jid: Type.String({ description: 'JID or phone number' }),
      name: text('The name in its tag, at most 100 characters'),
      position: Type.Optional(Position),
    }),
    { maxItems: 2048 },
  );
}

const withoutUndefined = <T extends object>(members: T) => given(members) as T;
