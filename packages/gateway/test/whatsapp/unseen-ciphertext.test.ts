import { EventEmitter } from 'node:events';
import { type Sandbox, startSandbox } from '@wuts/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { gateStanzas } from '../../src/whatsapp/baileys/inbound/stanza-gate.ts';
import type { BinaryNode } from '../../src/whatsapp/baileys/library.ts';
import { linkSession, openSession, sessionsOn } from './linked-session.ts';
import { Recorder } from './recorder.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox();
});
afterAll(() => sandbox.stop());

/** A library that copies a ciphertext between the stanza and its decryption: the copy was seen by nobody. */
function copyingCiphertexts(): () => void {
  const { emit } = EventEmitter.prototype;
  const copying = function (this: EventEmitter, event: string | symbol, ...args: unknown[]): boolean {
    if (event !== 'CB:message') return emit.call(this, event, ...args);
    const stanza = args[0] as BinaryNode;
    for (const listener of this.listeners(event) as ((...args: unknown[]) => void)[]) {
      listener.apply(this, args);
      // Right after the tap has noted it, and before the library's own listener, whatever is wrapped round that.
      if (String(listener).includes('#onMessage')) copyIn(stanza);
    }
    return true;
  };
  EventEmitter.prototype.emit = copying as typeof emit;
  return () => {
    EventEmitter.prototype.emit = emit;
  };
}

function copyIn(stanza: BinaryNode): void {
  if (!Array.isArray(stanza.content)) return;
  for (const enc of stanza.content) {
    if (enc.tag === 'enc' && enc.content instanceof Uint8Array) enc.content = Buffer.from(enc.content);
  }
}

test('a ciphertext that did not come past the tap is refused, said, counted, and kept by the server', async () => {
  const errors: string[] = [];
  let counted = 0;
  const factory = sessionsOn(sandbox, {
    log: {
      error: (_fields, text) => errors.push(text),
    },
    unseenCiphertexts: {
      inc: () => {
        counted += 1;
      },
    },
  });
  const contact = await sandbox.createPhone({ number: '5511988890001', name: 'Contact' });
  const shop = await linkSession(sandbox, factory, '5511988890002');
  const mended = copyingCiphertexts();
  let id: string;
  try {
    ({ id } = await contact.sendText(shop.phone.number, 'do not lose me'));
    expect((await shop.recorder.next('closed')).reason).toBe('connection_lost');
  } finally {
    mended();
  }
  expect(errors).toEqual([expect.stringContaining('decryption tap')]);
  expect(counted).toBe(1);
  expect(shop.recorder.events.filter(({ type }) => type === 'message')).toEqual([]);
  await shop.session.stop();

  const recorder = new Recorder();
  const again = await openSession(factory, shop.credentials, recorder);
  expect((await recorder.message(id)).content.text).toBe('do not lose me');
  await again.stop();
});

test('a gate that finds nothing to hold back refuses to attach', () => {
  const gate = () =>
    gateStanzas(
      new EventEmitter(),
      'CB:receipt',
      () => Promise.resolve(),
      () => undefined,
    );
  expect(gate).toThrow('stanza-gate.ts');
});
