import { type Phone, type Sandbox, startSandbox } from '@wuts/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assertNeverBack, type RatchetStep, ratchetStep } from '../../../sandbox/test/phones/ratchet-step.ts';
import type { SessionFactory } from '../../src/whatsapp/port/session.ts';
import { type Linked, linkSession, sessionsOn } from './linked-session.ts';

const SESSIONS = 8;
const BEFORE_PAUSE = 10;
const AFTER_PAUSE = 30;

let sandbox: Sandbox;
let factory: SessionFactory;
/** Every ciphertext between two devices, in the order in which it came to the server. */
const steps = new Map<string, RatchetStep[]>();

interface Node {
  tag: string;
  attrs: Record<string, string>;
  content?: unknown;
}

const childrenOf = (node: Node): Node[] => (Array.isArray(node.content) ? (node.content as Node[]) : []);

function note(sender: string, message: Node): void {
  const recipients = childrenOf(message).flatMap((child) =>
    child.tag === 'participants' ? childrenOf(child) : [],
  );
  for (const to of recipients) {
    for (const { attrs, content } of childrenOf(to)) {
      if (attrs.type !== 'msg' && attrs.type !== 'pkmsg') continue;
      const pair = `${sender} to ${to.attrs.jid}`;
      steps.set(pair, [...(steps.get(pair) ?? []), ratchetStep(attrs.type, content as Uint8Array)]);
    }
  }
}

beforeAll(async () => {
  sandbox = await startSandbox();
  const { network } = sandbox;
  const submit = network.submit.bind(network);
  network.submit = (from, node) => {
    if (node.tag === 'message') note(`${from.address.user}:${from.address.device}`, node);
    submit(from, node);
  };
  factory = sessionsOn(sandbox, {
    // All write at once, and a slow machine takes more than half a minute for it.
    ackTimeoutMs: 240_000,
    queryTimeoutMs: 240_000,
  });
});
afterAll(() => sandbox.stop());

async function there(shop: Linked, contact: Phone, count: number): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const id = shop.session.messages.newId();
      await shop.session.messages.send({ to: contact.jid, id, message: { conversation: `to you ${index}` } });
      await contact.waitForMessage((message) => message.id === id, { timeoutMs: 240_000 });
    }),
  );
}

async function back(shop: Linked, contact: Phone, count: number): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const { id } = await contact.sendText(shop.phone.number, `to us ${index}`);
      const message = await shop.recorder.message(id);
      expect(message.content).toMatchObject({ kind: 'text' });
    }),
  );
}

test('devices that talk to the same contact at once, over a slow store, keep their own ratchets', async () => {
  const contact = await sandbox.createPhone({ number: '5511988870000', name: 'Everybody knows' });
  const shops: Linked[] = [];
  for (let index = 1; index <= SESSIONS; index += 1) {
    const shop = await linkSession(sandbox, factory, `551198887000${index}`);
    shop.credentials.slow = true;
    shops.push(shop);
  }
  await Promise.all(shops.map((shop) => there(shop, contact, BEFORE_PAUSE)));
  await Promise.all(
    shops.flatMap((shop) => [there(shop, contact, AFTER_PAUSE), back(shop, contact, AFTER_PAUSE)]),
  );
  for (const made of steps.values()) assertNeverBack(made);
  // From each shop to the contact and back, at least; phones of the shops get their copies besides.
  expect(steps.size).toBeGreaterThanOrEqual(2 * SESSIONS);
  expect(contact.problems).toEqual([]);
  for (const shop of shops) await shop.session.stop();
});
