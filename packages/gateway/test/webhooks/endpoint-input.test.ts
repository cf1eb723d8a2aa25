/** What an endpoint may be configured with, asked without a server, which would refuse some of it before. */
import { describe, expect, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { AddressPolicy } from '../../src/net/address-policy.ts';
import { checkInput, checkUrl, type EndpointInput } from '../../src/webhooks/endpoint-input.ts';

const PUBLIC = new AddressPolicy();
const LOOPBACK = new AddressPolicy(['127.0.0.0/8']);

const checked = (input: EndpointInput) => checkInput(input, PUBLIC);

/** What is wrong with it; null for what is taken. */
function refusal(check: () => unknown): { field: string; value?: unknown } | null {
  try {
    check();
    return null;
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'VALIDATION_ERROR') throw error;
    const { field, value } = error.detail.validation?.[0] ?? { field: 'none' };
    return value === undefined ? { field } : { field, value };
  }
}

const refusedField = (input: EndpointInput) => refusal(() => checked(input))?.field ?? null;

test('what is not given is left as it is', () => {
  expect(checked({})).toEqual({});
  expect(checked({ enabled: false })).toEqual({ enabled: false });
});

describe('the URL', () => {
  const LONGEST = `https://example.com/${'x'.repeat(2028)}`;

  test.each([
    ['https://example.com/hook', 'https://example.com/hook'],
    [' https://example.com/hook\n', 'https://example.com/hook'],
    ['HTTP://example.com', 'HTTP://example.com'],
    ['https://8.8.8.8/', 'https://8.8.8.8/'],
    ['https://[2606:4700::1111]/', 'https://[2606:4700::1111]/'],
    ['https://localhost.example.com/', 'https://localhost.example.com/'],
    ['https://notlocalhost/', 'https://notlocalhost/'],
    [LONGEST, LONGEST],
  ])('takes %j', (text, url) => {
    expect(checked({ url: text }).url).toBe(url);
  });

  test.each([
    'example.com',
    'https://',
    'https:example.com',
    'ftp://example.com/',
    'ftp://example.com/https://example.com/',
    'https://example.com/a b',
    'https://example.com/a\tb',
    'http://localhost/',
    'http://localhost./',
    'http://LOCALHOST:3000/',
    'http://ab.localhost/',
    'http://a.b.localhost./',
    'http://10.0.0.1/',
    'http://10.0.0.1./',
    'http://[::1]/',
  ])('refuses %j, and says which', (url) => {
    expect(refusal(() => checked({ url }))).toEqual({ field: 'webhook_url', value: url });
  });

  test.each([
    'https://user@example.com/',
    'https://:pass@example.com/',
    `${LONGEST}x`,
  ])('refuses %s, which may hold a secret, without repeating it', (url) => {
    expect(refusal(() => checked({ url }))).toEqual({ field: 'webhook_url' });
  });

  test('an operator who allows one of its addresses allows localhost', () => {
    expect(checkUrl('http://localhost:3000/', LOOPBACK)).toBe('http://localhost:3000/');
    expect(checkUrl('http://127.0.0.1:3000/', LOOPBACK)).toBe('http://127.0.0.1:3000/');
    expect(refusal(() => checkUrl('http://[::1]/', LOOPBACK, 'url'))?.field).toBe('url');
  });
});

describe('the events', () => {
  test('are stored once each, in the order of the catalogue', () => {
    const events = ['message.read', 'message.received', 'message.read'];
    expect(checked({ events }).events).toEqual(['message.received', 'message.read']);
  });

  test('are at least one, and known', () => {
    expect(refusedField({ events: [] })).toBe('enabled_events');
    expect(refusal(() => checked({ events: ['message.received', 'message.recieved'] }))).toEqual({
      field: 'enabled_events.1',
      value: 'message.recieved',
    });
  });
});

describe('the numbers', () => {
  test.each([0, 1, 12])('%d retries', (retryAttempts) => {
    expect(checked({ retryAttempts })).toEqual({ retryAttempts });
  });
  test.each([-1, 13, 1.5, Number.NaN])('not %d retries', (retryAttempts) => {
    expect(refusedField({ retryAttempts })).toBe('retry_attempts');
  });
  test.each([1, 60])('%d s', (timeoutSeconds) => {
    expect(checked({ timeoutSeconds })).toEqual({ timeoutSeconds });
  });
  test.each([0, 61, 2.5])('not %d s', (timeoutSeconds) => {
    expect(refusedField({ timeoutSeconds })).toBe('timeout');
  });
});

test('the secret: none when it is empty, 256 characters, and never repeated', () => {
  expect(checked({ secret: null })).toEqual({ secret: null });
  expect(checked({ secret: '' })).toEqual({ secret: null });
  expect(checked({ secret: 'x'.repeat(256) })).toEqual({ secret: 'x'.repeat(256) });
  expect(refusal(() => checked({ secret: 'x'.repeat(257) }))).toEqual({ field: 'secret' });
});

describe('the headers', () => {
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`X-${n}`, 'v']));

  test.each([
    {},
    many(20),
    { ['x'.repeat(100)]: '!' },
    { "!#$%&'*+.^_`|~0-9Az": 'a' },
    { 'X-A': '' },
    { 'X-A': `~\t !${'x'.repeat(4092)}` },
    { 'X-Wuts-Tenant': 'acme', 'Not-X-Wuts-Signature': '1' },
    { 'Content-Type': 'application/json' },
    { 'Content-Type': 'application/vnd.acme-v1+JSON ; charset=utf-8' },
    { 'CONTENT-TYPE': 'application/json;charset=utf-8' },
  ])('takes %j', (headers) => {
    expect(checked({ headers })).toEqual({ headers });
  });

  test('null takes them away', () => expect(checked({ headers: null })).toEqual({ headers: {} }));

  test.each([
    'Connection',
    'Content-Encoding',
    'Content-Length',
    'Expect',
    'Host',
    'Keep-Alive',
    'Proxy-Connection',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
    'Webhook-Id',
    'webhook-timestamp',
    'webhook-signature',
    'X-Wuts-Event',
    'X-Wuts-Delivery',
    'X-Wuts-Attempt',
    'X-Wuts-Signature',
    '',
    'bad name',
    'x:',
  ])('refuses the name %j', (name) => {
    expect(refusal(() => checked({ headers: { 'X-A': '1', [name]: 'v' } }))).toEqual({
      field: `headers.${name}`,
    });
  });

  test.each([
    ' x',
    'x ',
    '\t',
    'bell \u0007',
    'line\r\nX-B: 1',
    'ção',
    'x'.repeat(4097),
  ])('refuses the value %j', (value) => {
    expect(refusal(() => checked({ headers: { 'X-A': value } }))).toEqual({ field: 'headers.X-A' });
  });

  test.each([
    'text/plain',
    'text/json',
    'application/jsonp',
    'application/+json',
    'x application/json',
  ])('refuses the type %s', (type) => {
    expect(refusedField({ headers: { 'Content-Type': type } })).toBe('headers.Content-Type');
  });

  test('refuses too many, one twice, one that is no text, and names a long one in short', () => {
    expect(refusedField({ headers: many(21) })).toBe('headers');
    expect(refusedField({ headers: { 'X-A': '1', 'x-a': '2' } })).toBe('headers.x-a');
    expect(refusedField({ headers: JSON.parse('{"X-A":5}') })).toBe('headers.X-A');
    expect(refusedField({ headers: { ['x'.repeat(101)]: '1' } })).toBe(`headers.${'x'.repeat(100)}`);
  });
});
