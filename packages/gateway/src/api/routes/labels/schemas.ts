/** Labels as requests and answers name them. */
import { Type } from 'typebox';
import { HIGHEST_COLOR, LONGEST_NAME } from '../../../labels/label.ts';
import type { CountedLabel, Label } from '../../../labels/label-store.ts';
import { Jid, Nullable, Rfc3339 } from '../../schemas.ts';

export const LabelIdParam = Type.String({ description: "WhatsApp's id of the label", examples: ['3'] });

export const LabelName = Type.String({ minLength: 1, maxLength: LONGEST_NAME, examples: ['New order'] });

export const LabelColor = Type.Integer({
  minimum: 0,
  maximum: HIGHEST_COLOR,
  description: 'A place in the palette of the apps',
  examples: [2],
});

export const LabelObject = Type.Object(
  {
    id: LabelIdParam,
    name: Type.String(),
    color: LabelColor,
    chats: Type.Integer({ description: 'How many chats have it' }),
    messages: Type.Integer({ description: 'How many messages have it' }),
  },
  { title: 'Label' },
);

export const MadeLabel = Type.Object(
  { id: LabelIdParam, name: Type.String(), color: LabelColor },
  { title: 'MadeLabel' },
);

export const ChatMembers = { chat_jid: Jid, chat_lid: Nullable(Jid) };

export const LabeledAt = Type.Unsafe<string>({
  ...Rfc3339,
  description: 'When the gateway heard of it',
});

export function labelObject({ id, name, color, chats, messages }: CountedLabel) {
  return { id, name, color, chats, messages };
}

export function madeLabel({ id, name, color }: Label) {
  return { id, name, color };
}
