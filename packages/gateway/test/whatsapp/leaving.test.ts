/** What a send says of its stanza: it has not left, or it may have; and whom a message to a group reaches. */
import { type Phone, type Sandbox, startSandbox } from '@wuts/sandbox';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  KeysUnavailable,
  NothingLeft,
  SessionNotOpen,
  SessionTimeout,
} from '../../src/whatsapp/port/errors.ts';
import { holdTimers } from '../worlds/held-timers.ts';
import { until } from '../worlds/until.ts';
import { type Linked, linkSession, openSession, sessionsOn } from './linked-session.ts';

const warnings: { fields: object; text: string }[] = [];
/** As long as the gateway waits for WhatsApp here. */
const PATIENCE_MS = 1_001;
const patience = holdTimers(PATIENCE_MS);
let sandbox: Sandbox;
let shop: Linked;
let companion: string;
let numbers = 5511988870000;

const factory = () =>
  sessionsOn(sandbox, {
    log: {
      warn: (fields, text) => void warnings.push({ fields, text }),
    },
    ackTimeoutMs: PATIENCE_MS,
    queryTimeoutMs: PATIENCE_MS,
  });

beforeAll(async () => {
  sandbox = await startSandbox();
  shop = await linkSession(sandbox, factory(), '5511988870000');
  companion = `${shop.phone.number}:${shop.phone.companions[0]}@s.whatsapp.net`;
});
afterAll(async () => {
  await shop.session.stop();
  await sandbox.stop();
});
afterEach(() => {
  sandbox.faults.clear();
});

async function person(): Promise<Phone> {
  numbers += 1;
  return sandbox.createPhone({ number: String(numbers), name: `Person ${numbers}` });
}

async function send(to: string, text: string): Promise<string> {
  const id = shop.session.messages.newId();
  await shop.session.messages.send({ to, id, message: { conversation: text } });
  return id;
}

const failureOf = (to: string) =>
  send(to, 'given up').then(
    () => null,
    (error: unknown) => error,
  );

/** The failure of a send to which nothing is answered once `unanswered` holds, however long that is waited for. */
async function failureInVain(to: string, unanswered: () => boolean): Promise<unknown> {
  const failing = failureOf(to);
  await until('nothing is answered', unanswered);
  patience.fire();
  return failing;
}

const got = (phone: Phone, id: string) => phone.waitForMessage((message) => message.id === id);
const texts = (phone: Phone) => phone.inbox.map(({ text }) => text);

async function reopened(): Promise<void> {
  await shop.recorder.next('closed');
  await shop.session.stop();
  shop = { ...shop, session: await openSession(factory(), shop.credentials, shop.recorder) };
  await shop.recorder.next('open');
}

test.each([
  'usync',
  'encrypt',
])('a question (%s) without an answer: nothing has left, nor does it later', async (xmlns) => {
  const contact = await person();
  sandbox.faults.refuseQuestions('silence', { xmlns });
  const failure = await failureInVain(contact.jid, () => sandbox.faults.questionsRefused.length > 0);
  expect(failure).toBeInstanceOf(NothingLeft);
  expect((failure as NothingLeft).reason).toBeInstanceOf(SessionTimeout);
  sandbox.faults.clear();
  await got(contact, await send(contact.jid, 'after it'));
  expect(texts(contact)).toEqual(['after it']);
});

test('a connection that ends while the message is prepared: nothing has left', async () => {
  const contact = await person();
  sandbox.faults.refuseQuestions('silence', { xmlns: 'usync' });
  const failing = failureOf(contact.jid);
  sandbox.faults.drop(companion);
  const failure = await failing;
  expect(failure).toBeInstanceOf(NothingLeft);
  expect((failure as NothingLeft).reason).toBeInstanceOf(SessionNotOpen);
  expect(await failureOf(contact.jid)).toBeInstanceOf(NothingLeft);
  await reopened();
  sandbox.faults.clear();
  await got(contact, await send(contact.jid, 'after it'));
  expect(texts(contact)).toEqual(['after it']);
});

test('a message without an ack may have left', async () => {
  const contact = await person();
  await send(contact.jid, 'known');
  sandbox.faults.silenceAck();
  const failure = await failureInVain(contact.jid, () => texts(contact).includes('given up'));
  expect(failure).toBeInstanceOf(SessionTimeout);
});

test('somebody without keys: nothing has left', async () => {
  const contact = await person();
  sandbox.faults.withholdKeys(contact.number);
  const failure = await failureOf(contact.jid);
  expect(failure).toBeInstanceOf(NothingLeft);
  expect((failure as NothingLeft).reason).toBeInstanceOf(KeysUnavailable);
  sandbox.faults.clear();
  await got(contact, await send(contact.jid, 'with keys'));
});

test('a group hears a message although a member has no keys, and the log says who does not', async () => {
  const [reached, unreached] = [await person(), await person()];
  const { jid } = await shop.phone.createGroup('Team', [reached, unreached]);
  sandbox.faults.withholdKeys(unreached.number);
  warnings.length = 0;
  await got(reached, await send(jid, 'one'));
  const told = warnings.filter(({ text }) => text === 'a message was not encrypted for a device');
  expect(JSON.stringify(told)).toContain(unreached.lid.split('@')[0]);
  expect(warnings.map(({ text }) => text)).toContain('WhatsApp gave no keys for a device');
  // Now the one without keys is the only one that lacks our sender key.
  await got(reached, await send(jid, 'two'));
  // With its keys back it gets the sender key with the next message, without asking.
  sandbox.faults.clear();
  const third = await send(jid, 'three');
  await got(reached, third);
  await got(unreached, third);
  expect(texts(reached)).toEqual(['one', 'two', 'three']);
});
