/** The server takes the steps of a passkey in their order alone, and a passkey that really signed. */
import { randomBytes } from 'node:crypto';
import { type BinaryNode, proto } from 'baileys';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { PasskeyStep } from '../../src/pairing/passkey-step.ts';
import {
  type SigningOptions,
  SoftwareAuthenticator,
} from '../../src/phones/linking/software-authenticator.ts';
import { DEFAULT_PASSKEY_POLICY } from '../../src/state/passkeys.ts';
import { bytesOf, childNamed, stanza, textOf } from '../../src/wire/stanza.ts';

let passkey: SoftwareAuthenticator;
let delivered: BinaryNode[];
let closed: boolean;
let step: PasskeyStep;

beforeEach(() => {
  passkey = new SoftwareAuthenticator();
  delivered = [];
  closed = false;
  const { id, publicKey } = passkey.credential;
  const key = new Uint8Array(Buffer.from(publicKey, 'base64url'));
  step = new PasskeyStep({
    passkeys: {
      policy: { ...DEFAULT_PASSKEY_POLICY, demand: 'required' },
      credentials: new Map([[id, { publicKey: key, counter: 0 }]]),
    },
    deliver: (node) => delivered.push(node),
    nextId: () => '1',
    sent: () => undefined,
    referenced: () => undefined,
    close: () => {
      closed = true;
    },
    ended: (reason) => new Error(reason),
  });
  step.begin();
});
afterEach(() => step.end());

async function ask(type: 'get' | 'set', question: BinaryNode): Promise<BinaryNode | undefined> {
  return step.receive(stanza('iq', { type, id: '7', xmlns: 'md' }, [question]));
}

const codeOf = (answer: BinaryNode | undefined) =>
  answer?.attrs.type === 'result' ? 'result' : childNamed(answer, 'error')?.attrs.code;

async function prologue(signing: SigningOptions = {}, by = passkey): Promise<BinaryNode> {
  const options = JSON.parse(textOf(childNamed(delivered[0], 'passkey_request_options')) ?? '');
  const ref = textOf(childNamed(await ask('get', stanza('ref')), 'ref')) ?? '';
  const identity = { publicKey: randomBytes(32), deviceType: proto.DeviceProps.PlatformType.CHROME, ref };
  const payload = proto.ProloguePayload.encode({
    companionEphemeralIdentity: proto.CompanionEphemeralIdentity.encode(identity).finish(),
    commitment: { hash: randomBytes(32) },
  }).finish();
  const assertion = by.sign(options, signing);
  return stanza('passkey_prologue', {}, [
    stanza('credential_id', {}, Buffer.from(assertion.id, 'base64url')),
    stanza('webauthn_assertion', {}, Buffer.from(JSON.stringify(assertion))),
    stanza('prologue_payload', {}, payload),
  ]);
}

it('takes prologue, nonce and request, each once and in this order', async () => {
  const nonce = stanza('companion_nonce', {}, randomBytes(32));
  const request = stanza('encrypted_pairing_request', {}, randomBytes(100));
  const answers = [
    await ask('set', nonce),
    await ask('set', request),
    await ask('set', await prologue()),
    await ask('set', await prologue()),
    await ask('set', nonce),
  ];
  expect(answers.map(codeOf)).toEqual(['409', '409', 'result', '409', '409']);
  await expect(step.prologue()).resolves.toMatchObject({ handoffProof: null });
  const revealed = step.answer(Buffer.from('primary'));
  const child = childNamed(delivered.at(-1), 'primary_ephemeral_identity');
  expect(bytesOf(child)?.toString()).toBe('primary');
  expect(codeOf(await ask('set', request))).toBe('409');
  expect(codeOf(await ask('set', nonce))).toBe('result');
  await expect(revealed).resolves.toHaveLength(32);
  expect(codeOf(await ask('set', nonce))).toBe('409');
  expect(codeOf(await ask('set', request))).toBe('result');
  await expect(step.request()).resolves.toHaveLength(100);
});

it.each<[string, SigningOptions]>([
  ['another site', { origin: 'https://example.com' }],
  ['another site’s passkey', { rpId: 'example.com' }],
  ['a passkey that asked nobody', { userVerified: false }],
  ['what is no assertion', { type: 'webauthn.create' }],
])('refuses %s, and takes the right one afterwards', async (_what, signing) => {
  expect(codeOf(await ask('set', await prologue(signing)))).toBe('403');
  expect(codeOf(await ask('set', await prologue()))).toBe('result');
});

it('refuses a passkey that is not of the account, and a signature over something else', async () => {
  expect(codeOf(await ask('set', await prologue({}, new SoftwareAuthenticator())))).toBe('403');
  const good = await prologue();
  const assertion = JSON.parse(textOf(childNamed(good, 'webauthn_assertion')) ?? '');
  const signature = Buffer.from(assertion.response.signature, 'base64url');
  signature[10] = (signature[10] ?? 0) ^ 1;
  assertion.response.signature = signature.toString('base64url');
  const forged = Buffer.from(JSON.stringify(assertion));
  const content = (Array.isArray(good.content) ? good.content : []).map((each) =>
    each.tag === 'webauthn_assertion' ? { ...each, content: forged } : each,
  );
  expect(codeOf(await ask('set', { ...good, content }))).toBe('403');
});

it('refuses a prologue with another reference than it gave', async () => {
  const stale = await prologue();
  await ask('get', stanza('ref'));
  expect(codeOf(await ask('set', stale))).toBe('400');
});

it('says no for a phone that refuses, and ends the connection when all has been said', async () => {
  await ask('set', await prologue());
  await step.prologue();
  void step.answer(Buffer.from('primary')).catch(() => undefined);
  step.refuse();
  expect(closed).toBe(false);
  expect(codeOf(await ask('set', stanza('companion_nonce', {}, randomBytes(32))))).toBe('403');
});
