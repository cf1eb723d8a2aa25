import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test, vi } from 'vitest';
import type { SessionRecord } from '../src/index.ts';
import { inTurn } from '../src/turns.ts';
import { Device, talking } from './device.ts';

/** Passes on after everybody else who can go on. */
function later(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

class Slow extends Device {
  readonly context = new AsyncLocalStorage<string>();
  readonly storedIn: unknown[] = [];

  override async loadSession(address: string): Promise<SessionRecord | null> {
    await later();
    return super.loadSession(address);
  }

  override async storeSession(address: string, record: SessionRecord): Promise<void> {
    await later();
    this.storedIn.push(this.context.getStore());
    return super.storeSession(address, record);
  }
}

test('messages to one device are sealed one after the other, each in the context of who asked', async () => {
  const [ana, bo] = [new Slow('ana'), new Device('bo')];
  await ana.begin(bo);
  ana.storedIn.length = 0;
  const texts = Array.from({ length: 10 }, (_, n) => `number ${n}`);
  const sealed = await Promise.all(texts.map((text) => ana.context.run(text, () => ana.seal(bo, text))));
  expect(ana.storedIn).toEqual(texts);
  for (const [n, text] of texts.entries()) {
    expect(await bo.open(ana, sealed[n] as (typeof sealed)[number])).toBe(text);
  }
});

test('clients of one process that talk to the same device do not wait for each other', async () => {
  const [one, other] = [{}, {}];
  const done: string[] = [];
  let open: () => void = () => undefined;
  const stuck = inTurn(one, 'bo.0', () => new Promise<void>((resolve) => (open = resolve)));
  const behind = inTurn(one, 'bo.0', async () => void done.push('behind it'));
  await inTurn(other, 'bo.0', async () => void done.push('another client'));
  await inTurn(one, 'cy.0', async () => void done.push('another address'));
  expect(done).toEqual(['another client', 'another address']);
  open();
  await Promise.all([stuck, behind]);
  expect(done.at(-1)).toBe('behind it');
});

test('a job that fails stops none behind it', async () => {
  const client = {};
  const failing = inTurn(client, 'a', async () => {
    throw new Error('no');
  });
  const next = inTurn(client, 'a', async () => 'yes');
  await expect(failing).rejects.toThrow('no');
  expect(await next).toBe('yes');
});

test('nothing is written to the console', async () => {
  const levels = ['log', 'info', 'warn', 'error', 'debug'] as const;
  const spies = levels.map((level) => vi.spyOn(console, level).mockImplementation(() => undefined));
  try {
    const { ana, bo } = await talking();
    const late = await bo.seal(ana, 'late');
    for (let n = 0; n < 45; n += 1) await ana.begin(bo, bo.bundle({ preKey: false }));
    await ana.open(bo, late).catch(() => undefined);
    await bo.open(ana, await ana.seal(bo, 'in another session'));
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
});
