/** What the schemas of several events share. */
import { type Static, type TSchema, Type } from 'typebox';

/** One event of the catalogue. */
export interface CatalogueEntry<S extends TSchema = TSchema> {
  /** One line, for lists. */
  summary: string;
  /** What makes it happen. */
  cause: string;
  /** The public `data`. */
  schema: S;
  /** A `data` that fits the schema. */
  example: Static<S>;
  /** Whether it can happen, or why our engine cannot report it. */
  occurs: true | string;
  /** What lets its reader link a device: sealed while it is stored, null after the time in the member `until`. */
  secret: { members: readonly string[]; until: string } | null;
}

export function entry<S extends TSchema>(
  made: Omit<CatalogueEntry<S>, 'occurs' | 'secret'> & {
    occurs?: string;
    secret?: { members: readonly (keyof Static<S> & string)[]; until: keyof Static<S> & string };
  },
): CatalogueEntry<S> {
  return { ...made, occurs: made.occurs ?? true, secret: made.secret ?? null };
}

/** `T` or null, as JSON Schema 2020-12 writes it. */
export function OrNull<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()]);
}

/** One of a few words. */
export function Word<const V extends string>(values: readonly V[], description?: string, title?: string) {
  return Type.Unsafe<V>({
    type: 'string',
    enum: [...values],
    ...(description && { description }),
    ...(title && { title }),
  });
}

export const Text = (description: string) => Type.String({ description });
export const Flag = (description: string) => Type.Boolean({ description });
export const Count = (description: string) => Type.Integer({ minimum: 0, description });

export const MessageId = Text(
  "WhatsApp's id of the message, which its sender chose and others may use again",
);
export const RecordId = Text('Our own id of the message, unique; accepted wherever the id of a message is');

/** RFC 3339, UTC. */
export const Time = (description: string) => Type.String({ format: 'date-time', description });

export const Address = (description: string) =>
  Type.String({
    description: `${description}: \`…@s.whatsapp.net\`, \`…@lid\`, \`…@g.us\` or \`…@newsletter\``,
  });

/** A person under every name that is known; at least one of `jid` and `lid` is. */
export const Person = Type.Object(
  {
    jid: OrNull(Text('`…@s.whatsapp.net`; null while only the LID is known')),
    lid: OrNull(Text('`…@lid`; null when it is not known')),
    phone_number: OrNull(Text('Digits with country code; null while only the LID is known')),
  },
  { title: 'Person', description: 'A person under every known name' },
);
export type Person = Static<typeof Person>;

/** The chat of an event: both names, for a person's chat; a group has one. */
export const ChatNames = {
  chat_jid: Address('The chat'),
  chat_lid: OrNull(Text('The LID of the chat with a person, when it is known')),
};

/** Of every event about a message, so that none has to be looked up to tell whose it is. */
export const Direction = {
  from: Address('Who wrote the message or did this to it; of receipts our number'),
  to: Address('Our number; of messages of ours and in groups the chat'),
  is_from_me: Flag('By the linked account, on whichever device'),
};

export const EXAMPLE = {
  time: '2026-06-15T12:00:00.000Z',
  messageId: '3EB0F8A1B2C3D4E5F6',
  recordId: '0b7f6f0e-6a0c-4c57-9d0c-5f0b8d9a3c21',
  jid: '5511999999999@s.whatsapp.net',
  lid: '112233445566778@lid',
  own: '5511888888888@s.whatsapp.net',
  group: '120363039000000000@g.us',
  newsletter: '120363039000000001@newsletter',
  person: { jid: '5511999999999@s.whatsapp.net', lid: '112233445566778@lid', phone_number: '5511999999999' },
  chat: { chat_jid: '5511999999999@s.whatsapp.net', chat_lid: '112233445566778@lid' },
} as const;
