/** HTTP requests made of documented operations with odd bodies and headers. */
import type { Chance } from '../crash/chance.ts';
import { mutated, oddText } from './texts.ts';

export interface Operation {
  readonly method: string;
  readonly path: string;
}

export interface OddRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** WhatsApp is asked for it. */
  readonly asks?: boolean;
}

const FIELDS = [
  'number',
  'to',
  'text',
  'message_id',
  'device_id',
  'image',
  'document',
  'caption',
  'mentioned',
  'emoji',
  'options',
  'name',
  'description',
  'latitude',
  'longitude',
  'messages',
  'url',
  'webhook_url',
  'group_id',
  'members',
  'ids',
  'quoted',
  'duration',
  'limit',
  'cursor',
  'enabled',
  'events',
] as const;
const HEADERS = [
  'idempotency-key',
  'range',
  'if-none-match',
  'last-event-id',
  'accept',
  'x-request-id',
  'content-type',
];
/** These end the link or the tenant; what comes after would say nothing. */
const ENDS_THE_WORLD = /logout|tenant|token|\/users|DELETE \/devices|register|disconnect|\/webhook/i;

/** The operations that may be called without ending what the others need. */
export function harmless(operations: readonly Operation[]): Operation[] {
  return operations.filter(({ method, path }) => !ENDS_THE_WORLD.test(`${method} ${path}`));
}

/** A request to one of the operations, odd in path, query, headers or body. */
export function oddRequest(chance: Chance, operations: readonly Operation[], deviceId: string): OddRequest {
  const { method, path } = chance.pick(operations);
  const filled = path.replace(/\{\w+\}/g, () =>
    encodeURIComponent(chance.hits(0.5) ? oddText(chance) || 'x' : deviceId),
  );
  const query = Array.from({ length: chance.integer(0, 3) }, () => {
    return `${chance.pick(FIELDS)}=${encodeURIComponent(oddText(chance))}`;
  });
  const headers: Record<string, string> = method === 'GET' ? {} : { 'content-type': 'application/json' };
  for (let n = chance.integer(0, 2); n > 0; n -= 1) {
    headers[chance.pick(HEADERS)] = oddText(chance)
      .replace(/[^\x21-\x7e]/g, '')
      .slice(0, 2000);
  }
  const json = JSON.stringify(oddJson(chance, 4));
  const body =
    method === 'GET' ? undefined : chance.hits(0.8) ? json : mutated(chance, Buffer.from(json)).toString();
  return { method, path: query.length > 0 ? `${filled}?${query.join('&')}` : filled, headers, body };
}

function oddJson(chance: Chance, depth: number): unknown {
  const kind = chance.weighted({
    object: depth > 0 ? 4 : 0,
    list: depth > 0 ? 1 : 0,
    text: 3,
    number: 1,
    other: 1,
  });
  if (kind === 'object' || depth === 4) {
    const entries = Array.from({ length: chance.integer(0, 5) }, () => [
      chance.pick(FIELDS),
      oddJson(chance, depth - 1),
    ]);
    return Object.fromEntries(entries);
  }
  if (kind === 'list') return Array.from({ length: chance.pick([0, 1, 3, 500]) }, () => oddJson(chance, 0));
  if (kind === 'number') return chance.pick([0, -1, 1.5, 2 ** 53, 1e308]);
  if (kind === 'other') return chance.pick([null, true, false]);
  return oddText(chance);
}

/** Whom and what `asks` asks about. */
interface Neighbours {
  readonly honest: { readonly number: string; readonly jid: string };
  readonly mallory: { readonly number: string };
  readonly group: { readonly jid: string };
}

/** Requests for which the gateway asks WhatsApp, and that are well meant. */
export function asks({ honest, mallory, group }: Neighbours): OddRequest[] {
  const { number, jid } = honest;
  const to = { number, text: 'hello' };
  const get = (path: string): OddRequest => ({
    method: 'GET',
    path,
    headers: {},
    body: undefined,
    asks: true,
  });
  const send = (method: string, path: string, body: object): OddRequest => ({
    method,
    path,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    asks: true,
  });
  return [
    get('/groups?refresh=true'),
    get(`/groups/${group.jid}?refresh=true`),
    get(`/groups/${group.jid}/invite`),
    get(`/groups/${group.jid}/join-requests`),
    get('/groups/join?code=AbCdEfGhIjKlMnOpQrStUv'),
    send('POST', '/groups', { name: 'Made', participants: [number, mallory.number] }),
    send('PATCH', `/groups/${group.jid}`, { name: 'Renamed' }),
    send('POST', `/groups/${group.jid}/participants`, { participants: [number], action: 'promote' }),
    send('POST', '/communities', { name: 'Street' }),
    get(`/contacts/profile?number=${number}`),
    get(`/contacts/profile-picture?number=${number}`),
    get(`/contacts/${jid}/picture`),
    get('/contacts?refresh=true'),
    get('/contacts/blocklist?refresh=true'),
    send('POST', '/contact/check', { numbers: [number, mallory.number, '5511999997099'] }),
    send('POST', '/contacts/resolve', { contacts: [number, '5511999997098'] }),
    send('POST', '/contacts/block', { number: mallory.number }),
    send('POST', '/contacts/unblock', { number: mallory.number }),
    send('POST', '/appstate/sync', { full: true }),
    send('POST', `/chats/${jid}/pin`, {}),
    send('POST', '/presence/subscribe', { number }),
    get('/profile'),
    send('PUT', '/profile', { about: 'Open' }),
    get('/privacy?refresh=true'),
    send('PUT', '/privacy', { last: 'contacts' }),
    get('/status/privacy'),
    get('/business/profile'),
    get(`/business/profile?number=${number}`),
    get('/business/catalog'),
    get('/newsletters?refresh=true'),
    get('/newsletters/search?query=news'),
    send('POST', '/newsletters', { name: 'News' }),
    send('POST', '/send/text', to),
    send('POST', '/send/text', { ...to, number: group.jid }),
    send('POST', '/send/document', { number, document: 'JVBERi0=', file_name: 'a.pdf' }),
    send('POST', '/status/text', { text: 'Today' }),
  ];
}
