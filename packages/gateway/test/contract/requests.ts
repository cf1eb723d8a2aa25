/** Generated requests: from the schema of an operation to anything that somebody might send to it. */
import { fc } from '../../../sandbox/test/random.ts';
import { EXAMPLE_SESSION } from '../../src/api/routes/instances/example-session.ts';
import type { Json } from '../end-to-end/harness.ts';
import type { CallerName } from './cast.ts';
import { KNOWN_MEMBERS, KNOWN_SEGMENTS, SLOW, WANTED } from './good-values.ts';
import type { Operation, Parameter } from './operations.ts';

export interface GeneratedRequest {
  caller: CallerName;
  /** Path parameters in order, percent-encoded. */
  segments: string[];
  /** Name and percent-encoded value. */
  query: [string, string][];
  headers: Record<string, string>;
  body: { type: string | null; json: Json } | { type: string | null; text: string } | null;
}

type Values = fc.Arbitrary<Json>;

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('', ' ', '\u0000', '\ud83d', '__proto__', '../x', "'; --", '%00', '{}', '<b>', '\r\nx: y'),
  fc.constantFrom(
    '5511999999999',
    '123',
    'nobody@s.whatsapp.net',
    '5511999995999',
    '120363000000000000@g.us',
  ),
  fc.constantFrom('http://127.0.0.1:9/', 'http://[::1]:9/x', 'file:///etc/passwd', 'https://'),
  fc.constantFrom(1023, 4097, 20_000).map((length) => 'x'.repeat(length)),
);

const nested = (depth: number, wrap: (inside: Json) => Json): Json => {
  let value: Json = 1;
  for (let level = 0; level < depth; level += 1) value = wrap(value);
  return value;
};

const anyNumber = fc.oneof(
  fc.constantFrom(0, -1, 1.5, 2 ** 31, 2 ** 53, 1e308, -1e308, 5e-324),
  fc.integer({ min: -3, max: 100 }),
);

const anything: Values = fc.oneof(
  anyText,
  anyNumber,
  fc.constantFrom(null, true, false, [], {}),
  fc.array(anyText, { maxLength: 3 }),
  fc.dictionary(fc.constantFrom('id', 'key', 'text', '__proto__', 'constructor', 'toString'), anyText),
  fc.constantFrom(3, 65, 500).map((depth) => nested(depth, (inside) => [inside])),
  fc.constantFrom(3, 65, 500).map((depth) => nested(depth, (inside) => ({ message: inside }))),
  fc.constantFrom(1e5).map((length) => Array.from({ length }, () => 0)),
);

function anyMember(name: string): Values {
  return SLOW.test(name) ? anything.filter((value) => typeof value !== 'number' || value < 0.02) : anything;
}

/** A value that fits the schema, as far as schemas tell. */
function fitting(name: string, schema: Json): Values {
  if (schema.format === 'date-time')
    return fc.constantFrom('2024-02-29T12:00:00Z', '2030-01-01T00:00:00+14:00');
  const known = KNOWN_MEMBERS[name];
  if (known) return fc.constantFrom(...known);
  if (name === 'email') return fc.uuid().map((id) => `${id}@generated.example`);
  if (name.endsWith('_url')) return fc.constantFrom('http://127.0.0.1:9/a', 'http://169.254.169.254/');
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map((each: Json) => fitting(name, each)));
  if (schema.format === 'uuid') return fc.uuid();
  switch (schema.type) {
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.integer({ min: schema.minimum ?? 0, max: Math.min(schema.maximum ?? 1000, 1000) });
    case 'number':
      return fc.constantFrom(0, 0.5, 1);
    case 'null':
      return fc.constant(null);
    case 'array':
      return fc.array(fitting('', schema.items ?? {}), { maxLength: 3 });
    case 'object':
      return fittingObject(schema);
    default:
      return fc.string({ unit: 'grapheme', minLength: 2, maxLength: 20 }).map((text) => `a${text}`);
  }
}

function fittingObject(schema: Json): Values {
  const members = Object.entries<Json>(schema.properties ?? {});
  const required = new Set<string>(schema.required ?? []);
  const always = members.map(([name]) => name).filter((name) => required.has(name) || WANTED.has(name));
  const sometimes = members.map(([name]) => name).filter((name) => !always.includes(name));
  const values = Object.fromEntries(members.map(([name, each]) => [name, fitting(name, each)]));
  return fc
    .tuple(fc.record(values), fc.subarray(sometimes, { maxLength: Math.min(3, sometimes.length) }))
    .map(([all, chosen]) =>
      Object.fromEntries(
        Object.entries(all).filter(([name]) => always.includes(name) || chosen.includes(name)),
      ),
    );
}

/** Mostly fitting, with one or two members that are anything, or missing. */
function nearlyFitting(schema: Json): Values {
  const names = [...Object.keys(schema.properties ?? {}), 'unknown_member'];
  const change = fc
    .constantFrom(...names)
    .chain((name) => fc.tuple(fc.constant(name), fc.option(anyMember(name), { nil: undefined, freq: 5 })));
  return fc
    .tuple(fittingObject(schema), fc.array(change, { minLength: 1, maxLength: 2 }))
    .map(([body, changes]) => ({ ...body, ...Object.fromEntries(changes) }));
}

function chaos(schema: Json): Values {
  const names = Object.keys(schema.properties ?? {});
  return fc.record(Object.fromEntries(names.map((name) => [name, anyMember(name)])), { requiredKeys: [] });
}

const JSON_TYPE = 'application/json';
const anyType = fc.constantFrom(
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/json; charset=utf-16',
  'APPLICATION/JSON',
  'nonsense',
  null,
);
const notJson = fc.oneof(
  anyText,
  fc.constantFrom('{', '{"a":', '{"a":1}}', '[', 'null', 'NaN', '{"__proto__":{"x":1}}', '"', '\ufeff{}'),
  fc.constant('['.repeat(50_000)),
  fc.constant(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`),
);

function anyBody(
  schema: Json | null,
  meant: Record<string, Json> = {},
): fc.Arbitrary<GeneratedRequest['body']> {
  if (schema === null) {
    const unasked = fc.oneof(
      fc.record({ type: fc.constant<string | null>(JSON_TYPE), text: notJson }),
      fc.record({ type: anyType, text: notJson }),
    );
    return fc.option(unasked, { freq: 5, nil: null }).map((body) => body);
  }
  const json = (values: Values) => fc.record({ type: fc.constant<string | null>(JSON_TYPE), json: values });
  return fc.oneof(
    { weight: 6, arbitrary: json(fittingObject(schema).map((body) => ({ ...body, ...meant }))) },
    { weight: 5, arbitrary: json(nearlyFitting(schema)) },
    { weight: 2, arbitrary: json(chaos(schema)) },
    { weight: 1, arbitrary: json(anything) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant<string | null>(JSON_TYPE), text: notJson }) },
    { weight: 1, arbitrary: fc.record({ type: anyType, json: fittingObject(schema) }) },
    { weight: 1, arbitrary: fc.constant(null) },
  );
}

/** A lone surrogate has no bytes: it goes as U+FFFD. */
function percentEncoded(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\ufffd'));
}

const anySegment = fc.oneof(
  anyText.map(percentEncoded),
  fc.constantFrom(
    '',
    '.',
    '..',
    '%2e%2e',
    '%2F',
    'a%2Fb',
    '%00',
    'a%00',
    '%zz',
    '%',
    '%ff',
    '%ed%a0%80',
    '~',
    ';a=b',
  ),
  fc.constantFrom('A', '%2F', '%F0%9F%98%80').map((piece) => piece.repeat(3000)),
  fc.uuid(),
);

function segment(pathBefore: string): fc.Arbitrary<string> {
  const known = KNOWN_SEGMENTS[pathBefore];
  if (!known) throw new Error(`${pathBefore}: say in KNOWN_SEGMENTS what this path parameter may name`);
  return fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...known) }, { weight: 2, arbitrary: anySegment });
}

const encoded = (text: string): string => percentEncoded(text).replace(/%3C(\w+)%3E/g, '<$1>');

/** Whole seconds of waiting are left to the tests of media. */
const WAITS = fc.constantFrom('0', '', '-1', '61', '0.5', '1e9', 'soon', 'null', '%D9%A3');

function queryValue({ name, schema }: Parameter): fc.Arbitrary<string> {
  if (name === 'wait') return WAITS;
  if (name === 'device_id') {
    return fc.oneof(fc.constantFrom('<device>', '<newDevice>', ''), fc.uuid(), anyText.map(encoded));
  }
  return fc.oneof(
    fitting(name, schema).map((value) => encoded(String(value))),
    anyText.map(encoded),
    fc.constantFrom('%zz', '%00', '%ff'),
  );
}

function anyQuery(parameters: Parameter[]): fc.Arbitrary<[string, string][]> {
  if (parameters.length === 0) return fc.constantFrom<[string, string][]>([], [['unknown', 'x']]);
  const one = fc
    .constantFrom(...parameters)
    .chain((parameter) => fc.tuple(fc.constant(parameter.name), queryValue(parameter)));
  return fc.array(one, { maxLength: 3 });
}

const headerText = fc.oneof(
  fc.string({ unit: 'grapheme-ascii', maxLength: 30 }),
  fc.constantFrom('', ' ', '\u00fc', '"', ',', '*', 'x'.repeat(300), 'x'.repeat(10_000)),
);
const RANGES = [
  'bytes=0-9',
  'bytes=5-',
  'bytes=-5',
  'bytes=-0',
  'bytes=99999999-',
  'bytes=5-1',
  'bytes=0-1,3-4',
];
const HEADER_VALUES: Record<string, fc.Arbitrary<string>> = {
  'x-device-id': fc.oneof(fc.constantFrom('<device>', '<newDevice>'), fc.uuid(), headerText),
  'idempotency-key': fc.oneof(fc.constant('the same key'), fc.uuid(), headerText),
  range: fc.oneof(
    fc.constantFrom(...RANGES, 'bytes=', 'lines=1-2', 'bytes=1e3-', 'bytes=0-99999999999999999999'),
    headerText,
  ),
  'if-none-match': fc.oneof(fc.constantFrom('<etag>', 'W/<etag>', '*', '"x", <etag>', ',,,'), headerText),
  'if-range': fc.oneof(fc.constantFrom('<etag>', '"x"', 'Mon, 01 Jan 2024 00:00:00 GMT'), headerText),
  'last-event-id': fc.oneof(fc.constantFrom('0', '1', '999999999999999', 'latest', '-1'), headerText),
  'x-request-id': headerText,
  accept: fc.constantFrom('*/*', 'text/html', 'nonsense'),
};

function anyHeaders(parameters: Parameter[]): fc.Arbitrary<Record<string, string>> {
  const names = [...parameters.map(({ name }) => name.toLowerCase()), 'x-request-id', 'accept'];
  return fc
    .tuple(
      fc.record(Object.fromEntries(names.map((name) => [name, HEADER_VALUES[name] ?? headerText]))),
      fc.subarray(names, { maxLength: 2 }),
    )
    .map(([values, chosen]) =>
      Object.fromEntries(Object.entries(values).filter(([name]) => chosen.includes(name))),
    );
}

function anyCaller(access: Operation['access']): fc.Arbitrary<CallerName> {
  const entitled: CallerName = access === 'master' ? 'master' : 'admin';
  return fc.oneof(
    { weight: 7, arbitrary: fc.constant(entitled) },
    { weight: 2, arbitrary: fc.constant<CallerName>('user') },
    { weight: 2, arbitrary: fc.constantFrom<CallerName>('none', 'garbage', 'admin', 'master') },
  );
}

/** Anything that somebody might send to the operation. */
export function anyRequest(operation: Operation): fc.Arbitrary<GeneratedRequest> {
  const segments = prefixes(operation).map(segment);
  return fc.record({
    caller: anyCaller(operation.access),
    segments: fc.tuple(...segments),
    query: anyQuery(operation.query),
    headers: anyHeaders(operation.headers),
    body: anyBody(operation.body, OF_OPERATION[operation.id]),
  });
}

/** The part of the path before each parameter. */
function prefixes({ path }: Operation): string[] {
  return [...path.matchAll(/\{\w+\}/g)].map((match) => path.slice(0, match.index));
}

/** The one request that must succeed: its caller may, and everything in it is good. */
export function goodRequest(operation: Operation): GeneratedRequest {
  const device = operation.id === 'generateSessionQrCode' || operation.id === 'generateSessionPairCode';
  return {
    caller: operation.access === 'master' ? 'master' : 'admin',
    segments: prefixes(operation).map((prefix) => goodSegment(operation, prefix)),
    query: operation.query
      .filter(
        ({ name, required }) =>
          required || name === 'device_id' || IN_QUERY[operation.id]?.includes(name) === true,
      )
      .map(({ name }) => [name, name === 'device_id' && device ? '<newDevice>' : KNOWN_MEMBERS[name]?.[0]]),
    headers: {},
    body:
      operation.body === null
        ? null
        : { type: JSON_TYPE, json: { ...goodBody(operation.body), ...OF_OPERATION[operation.id] } },
  };
}

/** Members of a query that an operation needs although its schema does not require them: one of several will do. */
const IN_QUERY: Record<string, readonly string[]> = {
  getContactProfile: ['number'],
  getContactProfilePicture: ['number'],
  previewGroupInvite: ['link'],
};

function goodSegment(operation: Operation, prefix: string): string {
  if (operation.path === '/messages/{id}/media') return '<receivedImage>';
  if (operation.path === '/groups/{jid}/link') return '<community>';
  if (operation.path.endsWith('/poll')) return '<poll>';
  if (operation.path.endsWith('/order')) return '<orderMessage>';
  if (operation.path.endsWith('/retry')) return '<undecryptable>';
  if (operation.id === 'markStorySeen' || operation.id === 'reactToStory') return '<contactStory>';
  if (operation.id === 'importSession') return '<newDevice>';
  return KNOWN_SEGMENTS[prefix]?.[0] ?? '';
}

/** What some operations mean by a member, or need although their schema does not say so. */
const OF_OPERATION: Record<string, Record<string, Json>> = {
  blockContact: { number: '<contact>' },
  // It would link the device that others are to find unlinked.
  importSession: { file_base64: EXAMPLE_SESSION, dry_run: true },
  updateBusinessProfile: { description: 'Hats' },
  decideGroupJoinRequests: { all: true },
  linkCommunityGroup: { group_jid: '<group>' },
  unlinkCommunityGroup: { group_jid: '<group>' },
  linkCommunityGroupByLink: { group_jid: '<group>' },
  unlinkCommunityGroupByLink: { group_jid: '<group>' },
  unblockContact: { number: '<contact>' },
  sendTextMentions: { number: '<group>', to: '<group>' },
  postStatusMedia: { data: '<jpeg>', media_type: 'image' },
  sendNewsletterMedia: { media_type: 'image', media: '<jpeg>' },
  sendReaction: { messageId: '<receivedText>' },
  joinGroup: { link: '<invite>' },
  archiveChat: { archived: true },
  muteChat: { muted: true },
  sendChatTyping: { state: 'typing' },
  subscribePresence: { jid: '<contact>' },
  updateChatDisappearing: { preset: '7d' },
  deleteMessage: { messageId: '<doomedText>', chatJid: '<contactJid>', deleteType: 'for_everyone' },
  sendButtonsResponseMessage: { quoted: { message_id: '<receivedText>' } },
  sendListResponseMessage: { quoted: { message_id: '<receivedText>' } },
};

function goodBody(schema: Json): Json {
  const members = Object.entries<Json>(schema.properties ?? {}).filter(
    ([name]) => (schema.required ?? []).includes(name) || WANTED.has(name),
  );
  const good = ([name, each]: [string, Json]): Json => {
    if (each.format === 'date-time') return '2024-02-29T12:00:00Z';
    if (KNOWN_MEMBERS[name]) return KNOWN_MEMBERS[name][0];
    if (name === 'email') return `${crypto.randomUUID()}@generated.example`;
    return each.enum?.at(-1) ?? each.examples?.[0] ?? 'good';
  };
  return Object.fromEntries(members.map((member) => [member[0], good(member)]));
}
