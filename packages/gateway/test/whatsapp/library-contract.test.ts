/**
 * What we assume of the library beyond its documented interface: one fast test for each assumption, named
 * after the file that relies on it. Run against another version: `npm run contract:library -- baileys@VERSION`.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { globSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { getHttpStream } from 'baileys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { UNANSWERED } from '../../src/whatsapp/baileys/connection/unanswered.ts';
import {
  ALL_WA_PATCH_NAMES,
  addTransactionCapability,
  BufferJSON,
  Curve,
  DEFAULT_CONNECTION_CONFIG,
  initAuthCreds,
  makeWASocket,
  proto,
  type SignalDataSet,
  type SignalKeyStore,
  type Socket,
  USyncQuery,
  unpadRandomMax16,
  WA_CERT_DETAILS,
} from '../../src/whatsapp/baileys/library.ts';
import {
  DEVICES_LEARNT,
  LEAVING,
  LOOKING_FOR_SESSIONS,
  NOT_ENCRYPTED,
} from '../../src/whatsapp/baileys/outbound/departure.ts';
import { showingContent } from '../../src/whatsapp/baileys/outbound/stanza-kind.ts';
import { quiet } from './quiet.ts';

/** Where the library under test is. */
const LIBRARY = dirname(process.env.CONTRACT_LIBRARY ?? createRequire(import.meta.url).resolve('baileys'));

class Keys implements SignalKeyStore {
  readonly sets: SignalDataSet[] = [];
  async get() {
    return {};
  }
  async set(data: SignalDataSet) {
    this.sets.push(data);
  }
}

/**
 * Takes connections and says nothing: what is looked at is there before a connection is. A port where nobody
 * listens would end what waits for an answer with the refusal, sometimes before its own time is over.
 */
const silent = createServer((connection) => connection.on('error', () => undefined)).unref();
let waWebSocketUrl: string;
let socket: Socket;
beforeAll(async () => {
  await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening));
  const address = silent.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  waWebSocketUrl = `ws://127.0.0.1:${address.port}/ws`;
  socket = makeWASocket({
    auth: { creds: initAuthCreds(), keys: new Keys() },
    logger: quiet,
    waWebSocketUrl,
  });
});
afterAll(async () => {
  await Promise.resolve(socket.end(undefined)).catch(() => undefined);
  silent.close();
});

test('decryption-tap.ts: nested transactions are merged into one set', async () => {
  const state = new Keys();
  const keys = addTransactionCapability(state, quiet, { maxCommitRetries: 1, delayBetweenTriesMs: 1 });
  await keys.transaction(async () => {
    await keys.transaction(async () => keys.set({ session: { a: new Uint8Array([1]) } }), 'inner');
    await keys.set({ 'inbound-journal': { b: { id: 'b' } } } as unknown as SignalDataSet);
  }, 'outer');
  expect(state.sets).toHaveLength(1);
  expect(Object.keys(state.sets[0] ?? {}).sort()).toEqual(['inbound-journal', 'session']);
});

test('decryption-tap.ts: the repository has the calls that are tapped', () => {
  const auth = {
    creds: initAuthCreds(),
    keys: addTransactionCapability(new Keys(), quiet, { maxCommitRetries: 1, delayBetweenTriesMs: 1 }),
  };
  const repository = DEFAULT_CONNECTION_CONFIG.makeSignalRepository(auth, quiet);
  const names = ['decryptMessage', 'decryptGroupMessage', 'migrateSession'] as const;
  for (const name of [...names, 'jidToSignalProtocolAddress'] as const) {
    expect(typeof repository[name], name).toBe('function');
  }
  expect(typeof repository.lidMapping.storeLIDPNMappings).toBe('function');
});

test('decryption-tap.ts: padding ends with its own length', () => {
  expect(Buffer.from(unpadRandomMax16(new Uint8Array([7, 8, 1]))).toString('hex')).toBe('0708');
});

test('message-order.ts: one listener takes messages, and reads `offline` before its first await', () => {
  const listeners = socket.ws.listeners('CB:message');
  expect(listeners).toHaveLength(1);
  const reads: string[] = [];
  const attrs = new Proxy({ from: '1@s.whatsapp.net', id: 'A' } as Record<string, string>, {
    get: (target, name) => {
      reads.push(String(name));
      return target[String(name)];
    },
  });
  // Without content it goes no further than the queue.
  listeners[0]?.call(socket.ws, { tag: 'message', attrs: { ...attrs, offline: '0' } });
  listeners[0]?.call(socket.ws, { tag: 'message', attrs });
  expect(reads).toContain('offline');
});

test.each([
  'CB:receipt',
  'CB:notification',
  'CB:call',
])('stanza-gate.ts: the library listens to %s', (event) => {
  expect(socket.ws.listenerCount(event)).toBeGreaterThan(0);
});

test('connection/socket.ts, outgoing-gate.ts: the WebSocket is there at once, and can be held', () => {
  const { socket: frames } = socket.ws as unknown as { socket: Record<string, unknown> | null };
  for (const name of ['send', 'close', 'terminate']) expect(typeof frames?.[name], name).toBe('function');
  expect(typeof frames?.readyState).toBe('number');
});

test('network-trust.ts: the Noise root can be replaced, and is read at each handshake', () => {
  const root = Object.getOwnPropertyDescriptor(WA_CERT_DETAILS, 'PUBLIC_KEY');
  expect(root?.configurable).toBe(true);
  const noise = readFileSync(join(LIBRARY, 'Utils/noise-handler.js'), 'utf8');
  expect(noise.indexOf('WA_CERT_DETAILS.PUBLIC_KEY')).toBeGreaterThan(noise.indexOf('processHandshake:'));
});

test('stored-values.ts: bytes come back as bytes', () => {
  const text = JSON.stringify({ key: Buffer.from([1, 2]) }, BufferJSON.replacer);
  expect(JSON.parse(text, BufferJSON.reviver).key).toEqual(Buffer.from([1, 2]));
});

test('app-state-sync.ts: the collections of the account state', () => {
  expect([...ALL_WA_PATCH_NAMES].sort()).toEqual([
    'critical_block',
    'critical_unblock_low',
    'regular',
    'regular_high',
    'regular_low',
  ]);
});

test('abilities/: the socket has the calls that abilities make', () => {
  const calls = [
    'relayMessage',
    'sendMessageAck',
    'assertSessions',
    'getUSyncDevices',
    'sendNode',
    'query',
    'groupMetadata',
    'executeUSyncQuery',
    'appPatch',
    'sendPresenceUpdate',
    'presenceSubscribe',
    'fetchMessageHistory',
    'fetchPrivacySettings',
    'fetchAccountReachoutTimelock',
    'requestPairingCode',
    'requestPlaceholderResend',
    'resyncAppState',
    'logout',
    'end',
  ] as const;
  for (const name of calls) expect(typeof socket[name], name).toBe('function');
  expect(typeof new USyncQuery().withContactProtocol().withLIDProtocol).toBe('function');
});

test('decryption-tap.ts: what is decrypted is the very buffer that the stanza brought', async () => {
  const content = Buffer.from([1, 2, 3]);
  let given: Uint8Array | null = null;
  const auth = { creds: { ...initAuthCreds(), me: { id: '1:1@s.whatsapp.net' } }, keys: new Keys() };
  const listening = makeWASocket({
    auth,
    logger: quiet,
    waWebSocketUrl,
    makeSignalRepository: (...parts) => ({
      ...DEFAULT_CONNECTION_CONFIG.makeSignalRepository(...parts),
      decryptMessage: async ({ ciphertext }) => {
        given = ciphertext;
        throw new Error('that will do');
      },
    }),
  });
  const enc = { tag: 'enc', attrs: { type: 'msg', v: '2' }, content };
  const attrs = { from: '2@lid', id: '3EB0', t: '1', type: 'text' };
  const waiting = listening.ws
    .listeners('CB:message')
    .map((listen) => (listen as (node: object) => unknown)({ tag: 'message', attrs, content: [enc] }));
  await Promise.all(waiting);
  await Promise.resolve(listening.end(undefined)).catch(() => undefined);
  expect(given).toBe(content);
});

test('app-state-tap.ts, auth-state.ts: the names of the key types', async () => {
  const text = readFileSync(join(LIBRARY, 'Signal/libsignal.js'), 'utf8');
  for (const type of ['session', 'pre-key', 'sender-key', 'identity-key']) {
    expect(text, type).toContain(`keys.get('${type}'`);
  }
  const chats = readFileSync(join(LIBRARY, 'Socket/chats.js'), 'utf8');
  expect(chats).toContain("'app-state-sync-version'");
  expect(chats).toContain("'app-state-sync-key'");
  const lids = readFileSync(join(LIBRARY, 'Signal/lid-mapping.js'), 'utf8');
  expect(lids).toContain("'lid-mapping'");
});

test('account-feed.ts: history that is not wanted is not fetched, and its receipt is sent all the same', () => {
  const text = readFileSync(join(LIBRARY, 'Utils/process-message.js'), 'utf8');
  expect(text).toContain('shouldProcessHistoryMsg');
  expect(readFileSync(join(LIBRARY, 'Socket/chats.js'), 'utf8')).toContain('shouldSyncHistoryMessage');
});

test('unanswered.ts: a question without an answer gives undefined, and is logged in the context of who asked', async () => {
  const context = new AsyncLocalStorage<string>();
  const said: unknown[] = [];
  const logger = {
    ...quiet,
    child: () => logger,
    warn: (_: unknown, text?: string) => void said.push([text, context.getStore()]),
  };
  const auth = { creds: initAuthCreds(), keys: new Keys() };
  const asking = makeWASocket({ auth, logger, waWebSocketUrl });
  expect(await context.run('mine', () => asking.waitForMessage('nobody answers', 1))).toBeUndefined();
  await Promise.resolve(asking.end(undefined)).catch(() => undefined);
  expect(said).toContainEqual([UNANSWERED, 'mine']);
});

test('packages/signal: all that the library takes of libsignal is there', async () => {
  const offered = async (specifier: string): Promise<object> =>
    import(pathToFileURL(createRequire(join(LIBRARY, 'index.js')).resolve(specifier)).href);
  const taken: [specifier: string, name: string][] = [];
  for (const file of globSync('**/*.js', { cwd: LIBRARY })) {
    const text = readFileSync(join(LIBRARY, file), 'utf8');
    for (const [, names, whole, specifier = ''] of text.matchAll(
      /^import (?:\{([^}]+)\}|\* as (\w+)) from '(libsignal[^']*)'/gm,
    )) {
      const used = whole
        ? [...text.matchAll(new RegExp(`\\b${whole}\\.(\\w+)`, 'g'))].map(([, name = '']) => name)
        : (names ?? '').split(',').map((name) => name.trim());
      for (const name of used) if (name !== 'js') taken.push([specifier, name]);
    }
    // Nothing is taken in another way.
    expect(text.replaceAll(/^import .* from 'libsignal.*$/gm, ''), file).not.toMatch(/['"]libsignal/);
  }
  const specifiers = [...new Set(taken.map(([specifier]) => specifier))];
  expect(specifiers.sort()).toEqual([
    'libsignal',
    'libsignal/src/crypto.js',
    'libsignal/src/curve.js',
    'libsignal/src/protobufs.js',
  ]);
  for (const [specifier, name] of taken) expect(await offered(specifier), specifier).toHaveProperty(name);
});

test('checked-signatures.ts: the library hears of a forged signature, and asks in the order that we count on', () => {
  const { public: key, private: secret } = Curve.generateKeyPair();
  const message = Buffer.from('anything');
  expect(Curve.verify(key, message, Buffer.alloc(64, 7))).toBe(false);
  expect(Curve.verify(key, message, Curve.sign(secret, message))).toBe(true);

  const noise = readFileSync(join(LIBRARY, 'Utils/noise-handler.js'), 'utf8');
  const asked = [
    'Curve.sharedKey(privateKey, decStaticContent)',
    'Curve.verify(details.key, leaf.details, leaf.signature)',
    'Curve.verify(WA_CERT_DETAILS.PUBLIC_KEY, certIntermediate.details, certIntermediate.signature)',
  ].map((call) => noise.indexOf(call));
  expect(asked.every((at) => at > 0)).toBe(true);
  expect([...asked].sort((a, b) => a - b)).toEqual(asked);
  expect(noise.slice(asked[0], asked[2])).not.toContain('await');
  const linking = readFileSync(join(LIBRARY, 'Utils/validate-connection.js'), 'utf8');
  expect(linking).toContain('if (!Curve.verify(accountSignatureKey, accountMsg, accountSignature))');
});

test('close-reason.ts: how the library words certificates that do not hold', () => {
  const text = readFileSync(join(LIBRARY, 'Utils/noise-handler.js'), 'utf8');
  for (const words of [
    'noise certificate signature',
    'noise intermediate certificate',
    'certification match',
  ]) {
    expect(text).toContain(words);
  }
});

test('decryption-tap.ts: how the library words a ciphertext whose counter was used', () => {
  const text = readFileSync(join(LIBRARY, 'Utils/decode-wa-message.js'), 'utf8');
  expect(text).toContain("MISSING_KEYS_ERROR_TEXT = 'Key used already or never filled'");
});

test('departure.ts: what the library logs before a message leaves, and for whom it is not', () => {
  const text = readFileSync(join(LIBRARY, 'Socket/messages-send.js'), 'utf8');
  for (const start of LEAVING) {
    // The line, and nothing but the write behind it.
    const line = text.slice(text.indexOf(`logger.debug({ msgId }, \`${start}`)).split('\n');
    expect(line[0], start).toContain(start);
    expect(line[1]?.trim(), start).toBe('await sendNode(stanza);');
  }
  expect(text).toContain(`logger.error({ jid, err }, '${NOT_ENCRYPTED}')`);
  expect(text).toContain("authState.keys.set({ 'sender-key-memory'");
});

test('departure.ts: sessions are begun anew right after devices were learnt, and what that throws is caught', () => {
  const text = readFileSync(join(LIBRARY, 'Socket/messages-send.js'), 'utf8');
  expect(text.split(`logger.trace('${DEVICES_LEARNT}')`)).toHaveLength(2);
  expect(text.split(`logger.debug({ jids }, '${LOOKING_FOR_SESSIONS}')`)).toHaveLength(2);
  const learnt = text.slice(text.indexOf(DEVICES_LEARNT));
  const anew = learnt.slice(0, learnt.indexOf('extractDeviceJids'));
  expect(anew).toMatch(/try \{[^}]*await assertSessions\(lids, true\);\s*\}\s*\}\s*catch \(e\)/);
  // The one look that begins sessions which exist, for a message.
  expect(text.split('assertSessions(lids, true)')).toHaveLength(2);
});

test('known-by-number.ts: many LIDs are asked for where keys are fetched, and nowhere else', () => {
  const text = readFileSync(join(LIBRARY, 'Socket/messages-send.js'), 'utf8');
  expect(text.split('getLIDsForPNs(')).toHaveLength(2);
  expect(text.indexOf('getLIDsForPNs(')).toBeGreaterThan(text.indexOf('const assertSessions ='));
  expect(text.indexOf('getLIDsForPNs(')).toBeLessThan(text.indexOf('const sendPeerDataOperationMessage ='));
  for (const file of [
    'Socket/messages-recv.js',
    'Socket/chats.js',
    'Socket/groups.js',
    'Signal/libsignal.js',
  ]) {
    expect(readFileSync(join(LIBRARY, file), 'utf8'), file).not.toContain('getLIDsForPNs(');
  }
  const lids = readFileSync(join(LIBRARY, 'Signal/lid-mapping.js'), 'utf8');
  expect(lids).toContain('(await this.getLIDsForPNs([pn]))?.[0]?.lid');
});

test('stanza-kind.ts: the kind of media is read from the message, and what is inherited is not encoded', () => {
  const text = readFileSync(join(LIBRARY, 'Socket/messages-send.js'), 'utf8');
  expect(text).toContain('const mediaType = getMediaType(message);');
  const documentMessage = { fileName: 'a.pdf' };
  const wrapped = { documentWithCaptionMessage: { message: { documentMessage } } };
  const shown = showingContent(wrapped);
  expect(shown.documentMessage).toEqual(documentMessage);
  const encoded = (message: proto.IMessage) => Buffer.from(proto.Message.encode(message).finish());
  expect(encoded(shown)).toEqual(encoded(wrapped));
});

test('peer-message.ts: the copy for our own devices passes the patch', () => {
  const text = readFileSync(join(LIBRARY, 'Socket/messages-send.js'), 'utf8');
  expect(text).toContain('createParticipantNodes(meRecipients, meMsg || message, extraAttrs)');
  expect(text).toContain('await patchMessageBeforeSending(message, recipientJids)');
});

test('missing-keys.ts: the answer with keys is taken by the library after `frame`', () => {
  const text = readFileSync(join(LIBRARY, 'Socket/socket.js'), 'utf8');
  const frame = text.indexOf("ws.emit('frame', frame)");
  expect(frame).toBeGreaterThan(0);
  expect(text.indexOf('DEF_TAG_PREFIX}', frame)).toBeGreaterThan(frame);
});

test('connection/socket.ts: what it fetches goes out by the dispatcher of its options', async () => {
  const asked: string[] = [];
  const dispatcher = {
    dispatch: ({ origin, path }: { origin: string; path: string }) => {
      asked.push(`${origin}${path}`);
      throw new Error('nothing may be fetched');
    },
  };
  const fetched = getHttpStream('https://mmg.whatsapp.net/v/x', { dispatcher } as unknown as RequestInit);
  await expect(fetched).rejects.toThrow();
  expect(asked).toEqual(['https://mmg.whatsapp.net/v/x']);
});

test('own-name.ts: credentials change by `ev.emit`, and a presence is told of in the turn that sends it', () => {
  const files = globSync('{Socket,Utils}/*.js', { cwd: LIBRARY });
  const texts = files.map((file) => readFileSync(join(LIBRARY, file), 'utf8'));
  const emitted = texts.flatMap((text) => text.split('\n')).filter((line) => line.includes("'creds.update'"));
  expect(emitted.length).toBeGreaterThan(10);
  for (const line of emitted) expect(line).toMatch(/\bev\.(?:emit|on)\('creds\.update'/);
  const chats = readFileSync(join(LIBRARY, 'Socket/chats.js'), 'utf8');
  const presence = chats.slice(chats.indexOf("ev.emit('connection.update', { isOnline"));
  expect(presence.slice(0, presence.indexOf("tag: 'presence'")).split('await ')).toHaveLength(2);
});

test('quiet-logger.ts: how the library says that it asks for a collection of the state', () => {
  const text = readFileSync(join(LIBRARY, 'Socket/chats.js'), 'utf8');
  const asking = text.slice(
    text.indexOf('while (collectionsToHandle.size)'),
    text.indexOf('extractSyncdPatches(result'),
  );
  expect(asking.split('await query(')[0]).toContain('logger.info(`resyncing $');
});
