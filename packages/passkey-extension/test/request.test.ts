import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EXTENSION, inExtension } from './content-scripts.ts';

interface Options {
  challenge: Uint8Array;
  allowCredentials: { id: Uint8Array; type: string; transports: string[] }[];
  [member: string]: unknown;
}
type Request = { refused: string } | { origin: string; page: string; options: Options };

const requestIn = inExtension<(fragment: string) => Request | null>(['request.js'], 'requestIn', {});
const fragment = (asked: unknown): string =>
  `#wuts-passkey=${Buffer.from(JSON.stringify(asked)).toString('base64url')}`;
const challenge = Buffer.alloc(32, 5).toString('base64url');
const options = { challenge, rpId: 'whatsapp.com', userVerification: 'required', timeout: 600_000 };
const good = {
  v: 1,
  page: 'https://gateway.example/passkey/',
  link: 'link-of-8',
  state: 'state-of-the-page',
  options,
};
const refusal = (changed: object): unknown => requestIn(fragment({ ...good, ...changed }));

test('a whole request is taken, with the origin that gets the answer', () => {
  const taken = requestIn(fragment(good));
  expect(taken).toMatchObject({ origin: 'https://gateway.example', page: good.page, link: good.link });
  expect(requestIn(fragment({ ...good, page: 'http://localhost:3000/wuts/passkey/' }))).toMatchObject({
    origin: 'http://localhost:3000',
  });
});

test('fragments of others are left alone', () => {
  for (const other of ['', '#', '#chat', '#wuts-passkeys=e30', '#x=1&wuts-passkey=e30']) {
    expect(requestIn(other)).toBeNull();
  }
});

test.each([
  ['http on the network', 'http://192.168.0.7:3000/passkey/'],
  ['a name that only begins like this machine', 'http://localhost.evil.example/passkey/'],
  ['credentials before the host', 'https://gateway.example@evil.example/passkey/'],
  ['a query', 'https://gateway.example/passkey/?to=evil'],
  ['a fragment', 'https://gateway.example/passkey/#x'],
  ['another page of that origin', 'https://gateway.example/upload'],
  ['a script', 'javascript:alert(1)//passkey/'],
  ['a file', 'file:///passkey/'],
  ['no address', 7],
  ['a long one', `https://gateway.example/${'a'.repeat(600)}/passkey/`],
])('no answer goes to %s', (_what, page) => {
  expect(refusal({ page })).toEqual({ refused: 'address' });
});

test('an origin that looks like another is shown as the browser resolves it', () => {
  expect(refusal({ page: 'https://gаteway.example/passkey/' })).toMatchObject({
    origin: 'https://xn--gteway-3nf.example',
  });
});

test('a challenge of another site is refused', () => {
  for (const rpId of ['example.com', 'web.whatsapp.com', 'whatsapp.com.evil.example', undefined, null]) {
    expect(refusal({ options: { ...options, rpId } })).toEqual({ refused: 'other_site' });
  }
});

test.each([
  ['a short challenge', { challenge: 'AAAA' }],
  ['a challenge that is not base64url', { challenge: 'a b' }],
  ['an unknown kind of verification', { userVerification: 'never' }],
  ['a credential without an id', { allowCredentials: [{ type: 'public-key' }] }],
  ['a credential of another type', { allowCredentials: [{ type: 'password', id: 'AAAA' }] }],
  ['too many credentials', { allowCredentials: Array(65).fill({ type: 'public-key', id: 'AAAA' }) }],
  ['credentials that are no list', { allowCredentials: 'all' }],
  ['a timeout that is none', { timeout: -1 }],
])('%s is refused', (_what, changed) => {
  expect(refusal({ options: { ...options, ...changed } })).toEqual({ refused: 'options' });
});

test('damaged requests are refused by name', () => {
  expect(requestIn('#wuts-passkey=%%%')).toEqual({ refused: 'unreadable' });
  expect(requestIn(fragment([good]))).toEqual({ refused: 'unreadable' });
  expect(requestIn(fragment('text'))).toEqual({ refused: 'unreadable' });
  expect(requestIn(`#wuts-passkey=${'A'.repeat(40_000)}`)).toEqual({ refused: 'too_long' });
  expect(refusal({ v: 2 })).toEqual({ refused: 'version' });
  expect(refusal({ state: 'short' })).toEqual({ refused: 'names' });
  expect(refusal({ link: '<b>eight</b>' })).toEqual({ refused: 'names' });
  expect(refusal({ options: null })).toEqual({ refused: 'options' });
});

test('nothing unknown reaches the browser: no extension that hands out secrets of the passkey', () => {
  const taken = requestIn(
    fragment({
      ...good,
      options: {
        ...options,
        timeout: 10_000_000,
        mediation: 'silent',
        extensions: { uvm: true, prf: { eval: { first: challenge } }, largeBlob: { read: true } },
        allowCredentials: [{ type: 'public-key', id: 'AAECAw', transports: ['internal', 'telepathy'] }],
      },
    }),
  );
  if (taken === null || 'refused' in taken) throw new Error('it was not taken');
  const { challenge: bytes, allowCredentials, ...rest } = taken.options;
  expect(Buffer.from(bytes).equals(Buffer.alloc(32, 5))).toBe(true);
  expect(allowCredentials.map(({ id, ...each }) => ({ id: [...id], ...each }))).toEqual([
    { id: [0, 1, 2, 3], type: 'public-key', transports: ['internal'] },
  ]);
  expect(rest).toEqual({
    rpId: 'whatsapp.com',
    userVerification: 'required',
    timeout: 600_000,
    extensions: { uvm: true },
  });
});

test('every refusal has its words', () => {
  const texts = inExtension<{ refusals: Record<string, string> }>(['texts.js'], 'TEXTS', {});
  const named = readFileSync(join(EXTENSION, 'request.js'), 'utf8').matchAll(/refused: '(\w+)'/g);
  const refusals = [...new Set([...named].map(([, name]) => name))];
  expect(refusals.sort()).toEqual(Object.keys(texts.refusals).sort());
});

test('a button that agrees waits for a second in sight, without a break', () => {
  let now = 0;
  let inFront = false;
  let look = (): void => undefined;
  const onceSeen = inExtension<(seen: () => void) => void>(['panel.js'], 'onceSeen', {
    performance: { now: () => now },
    document: {
      get visibilityState() {
        return inFront ? 'visible' : 'hidden';
      },
      hasFocus: () => inFront,
    },
    setTimeout: (again: () => void) => {
      look = again;
    },
  });
  let seen = 0;
  onceSeen(() => seen++);
  const at = (time: number, front: boolean): number => {
    now = time;
    inFront = front;
    look();
    return seen;
  };
  expect(at(5000, false)).toBe(0);
  expect(at(5100, true)).toBe(0);
  expect(at(6000, true)).toBe(0);
  expect(at(6050, false)).toBe(0);
  expect(at(6150, true)).toBe(0);
  expect(at(7100, true)).toBe(0);
  expect(at(7150, true)).toBe(1);
});

test('the manifest asks for web.whatsapp.com alone, and lists every file', () => {
  const manifest = JSON.parse(readFileSync(join(EXTENSION, 'manifest.json'), 'utf8'));
  expect(Object.keys(manifest).sort()).toEqual([
    'content_scripts',
    'description',
    'manifest_version',
    'minimum_chrome_version',
    'name',
    'short_name',
    'version',
  ]);
  const [scripts, ...others] = manifest.content_scripts;
  expect(others).toEqual([]);
  expect(scripts).toMatchObject({ matches: ['https://web.whatsapp.com/*'], all_frames: false });
  const files = readdirSync(EXTENSION).filter((file) => file.endsWith('.js'));
  expect([...scripts.js].sort()).toEqual(files.sort());
});

test('the extension loads nothing, sends nothing and keeps nothing', () => {
  const reaching =
    /\b(?:fetch|XMLHttpRequest|WebSocket|EventSource|sendBeacon|importScripts|eval|Function|innerHTML|insertAdjacentHTML|localStorage|sessionStorage|indexedDB|caches|cookie|postMessage)\b\s*[.(=[]|\b(?:chrome|browser)\.\w+|\bimport\b/;
  for (const file of readdirSync(EXTENSION).filter((name) => name.endsWith('.js'))) {
    const code = readFileSync(join(EXTENSION, file), 'utf8');
    expect(reaching.exec(code)?.[0], file).toBeUndefined();
  }
});
