/** Requests good enough to reach the question whose things they are about, and ids that belong to somebody else. */
import type { Json } from '../end-to-end/harness.ts';
import type { Operation } from './operations.ts';

/** Everybody may ask for the channels that there are: this is none. */
export const CHANNEL = '120363499999999999@newsletter';

export const SECRET_TEXT = 'the owner’s own words';

/** What may stand for a path parameter, by the path before it. A new kind of id must be told here. */
export function foreignIds(names: Readonly<Record<string, string>>, pathBefore: string): string[] {
  const {
    device,
    user,
    tenant,
    sentMessage,
    receivedMessage,
    webhook,
    delivery,
    job,
    bulk,
    group,
    community,
    label,
  } = names;
  const known: Record<string, (string | undefined)[]> = {
    '/labels/': [label],
    '/messages/': [sentMessage, receivedMessage],
    '/jobs/': [job],
    '/bulk/': [bulk],
    '/groups/': [group],
    '/communities/': [community],
    '/newsletters/': [CHANNEL],
    // Catalogues are everybody's to look at, orders whose who has their token.
    '/business/catalog/': [],
    '/orders/': [],
    '/stories/': [sentMessage, receivedMessage],
    // A person is everybody's to write to, and nobody's id.
    '/chats/': [],
    '/webhooks/': [webhook],
    '/webhook/deliveries/': [delivery],
    '/users/': [user],
    '/devices/': [device],
    '/global/tenants/': [tenant],
    // A number is everybody's to ask about, and nobody's id.
    '/contacts/': [],
  };
  const ids = known[pathBefore]?.filter((id) => id !== undefined);
  if (!ids) throw new Error(`${pathBefore}: say here what its path parameter names`);
  return ids;
}

/** A picture of one pixel. */
const TINY =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** Members that make a body good enough to reach the question whose things it is about. */
const GOOD: Record<string, Json> = {
  number: '5511999996009',
  to: '5511999996009',
  text: 'x',
  message: 'x',
  image: 'aGk=',
  video: 'aGk=',
  audio: 'aGk=',
  document: 'aGk=',
  sticker: 'aGk=',
  name: 'x',
  phone: '5511999996009',
  email: 'new@people.example',
  password: 'long enough to be good',
  role: 'user',
  new_role: 'user',
  active: false,
  tenant_name: 'x',
  chat_jid: '5511999996009@s.whatsapp.net',
  last_message_id: '3EB0F8A1B2C3D4E5F6',
  last_message_timestamp: 1_781_524_800,
  webhook_url: 'http://127.0.0.1:9/hook',
  proxy_url: 'http://127.0.0.1:9',
  enabled_events: ['message.received'],
  after_seq: 0,
  media: TINY,
  data: TINY,
  image_base64: TINY,
  media_type: 'image',
  server_id: 1,
};

/** What the first parameter of a path is about, for those behind it. */
const GOOD_SEGMENTS: Record<string, string> = {
  '{number}': '5511999996009',
  '{jid}': '5511999996009',
  '{messageId}': '3EB0F8A1B2C3D4E5F6',
};

/** The path that names this one. */
export function pathOf({ path }: Pick<Operation, 'path'>, id: string): string {
  return path.replace(/\{\w+\}/, id).replace(/\{\w+\}/g, (name) => GOOD_SEGMENTS[name] ?? 'x');
}

/** The path with the query that the operation cannot do without. */
export function goodPath(operation: Operation, id = ''): string {
  const { query } = operation;
  const path = pathOf(operation, id);
  const required = query.filter(({ required }) => required);
  const search = new URLSearchParams(
    Object.fromEntries(required.map(({ name }) => [name, GOOD_QUERY[name] ?? 'x'])),
  );
  return required.length > 0 ? `${path}?${search}` : path;
}

/** A search for what the owner has must find nothing for the other. */
const GOOD_QUERY: Record<string, string> = { q: SECRET_TEXT };

function goodValue(name: string, schema: Json, example: Json): Json {
  if (schema.format === 'date-time') return '2024-02-29T12:00:00Z';
  if (typeof example === 'object' || String(example).endsWith('@g.us')) return example;
  // A name that means something else elsewhere.
  const words = schema.enum ?? schema.anyOf?.find((each: Json) => each.enum)?.enum;
  if (words && !words.includes(GOOD[name])) return example ?? words[0];
  return GOOD[name] ?? example ?? schema.enum?.[0] ?? schema.examples?.[0];
}

export function goodBody({ body, examples: [example = {}] }: Operation): Record<string, Json> | undefined {
  if (body === null) return undefined;
  const members = Object.entries<Json>(body.properties ?? {})
    .filter(([name]) => name in GOOD || name in example || body.required?.includes(name))
    // An example names its recipient once.
    .filter(([name]) => name !== 'to' || !('number' in example))
    .filter(([name]) => name !== 'number' || !('to' in example))
    // An address would have to be fetched.
    .filter(([name]) => !/(^|_)url$/.test(name) || name in GOOD)
    .map(([name, schema]) => [name, goodValue(name, schema, example[name])]);
  return Object.fromEntries(members);
}
