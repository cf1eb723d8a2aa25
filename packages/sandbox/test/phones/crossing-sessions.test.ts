/** What happens between two clients that begin sessions with each other while messages are on their way. */
import { encodeBigEndian } from 'baileys';
import { expect, it } from 'vitest';
import { SignalClient } from '../../src/phones/signal.ts';
import { bundleOf, type Peer, read, write } from './peers.ts';
import { type RatchetStep, ratchetStep } from './ratchet-step.ts';

function peers(): { ana: Peer; bo: Peer } {
  return {
    ana: { lid: '100@lid', signal: new SignalClient() },
    bo: { lid: '200@lid', signal: new SignalClient() },
  };
}

async function exchange(from: Peer, to: Peer, text: string): Promise<void> {
  expect(await read(to, from, await write(from, to, text))).toBe(text);
}

/** Both can write to each other, more than once. */
async function talk({ ana, bo }: { ana: Peer; bo: Peer }): Promise<void> {
  for (const text of ['one', 'two', 'three']) {
    await exchange(ana, bo, text);
    await exchange(bo, ana, text);
  }
}

it('a message of the session before leaves the new one as it is', async () => {
  const both = peers();
  const { ana, bo } = both;
  await ana.signal.takeBundles(await bundleOf(bo));
  await talk(both);
  const late = await write(bo, ana, 'in the session before');
  await ana.signal.takeBundles(await bundleOf(bo));
  const first = await write(ana, bo, 'in the new one');
  expect(await read(ana, bo, late)).toBe('in the session before');
  expect(await read(bo, ana, first)).toBe('in the new one');
  await exchange(bo, ana, 'an answer in the new one');
  await talk(both);
});

it('keys in a retry receipt begin a session, and the one before still opens what is on its way', async () => {
  const both = peers();
  const { ana, bo } = both;
  await ana.signal.takeBundles(await bundleOf(bo));
  await talk(both);
  const late = await write(bo, ana, 'in the session before');
  const content = [
    { tag: 'registration', attrs: {}, content: encodeBigEndian(bo.signal.registrationId) },
    await bo.signal.retryKeys(),
  ];
  expect(await ana.signal.takeRetryBundle(bo.lid, { tag: 'receipt', attrs: {}, content })).toBe(true);
  const again = await write(ana, bo, 'once more');
  expect(again.type).toBe('pkmsg');
  expect(await read(ana, bo, late)).toBe('in the session before');
  expect(await read(bo, ana, again)).toBe('once more');
  await talk(both);
});

it('two that begin at the same time come to use one session', async () => {
  const both = peers();
  const { ana, bo } = both;
  await ana.signal.takeBundles(await bundleOf(bo));
  await bo.signal.takeBundles(await bundleOf(ana));
  const [toBo, toAna] = [await write(ana, bo, 'hello Bo'), await write(bo, ana, 'hello Ana')];
  expect(await read(bo, ana, toBo)).toBe('hello Bo');
  expect(await read(ana, bo, toAna)).toBe('hello Ana');
  const steps: RatchetStep[] = [];
  for (const text of ['one', 'two', 'three']) {
    const sent = await write(ana, bo, text);
    steps.push(ratchetStep(sent.type, sent.ciphertext));
    expect(await read(bo, ana, sent)).toBe(text);
    await exchange(bo, ana, text);
  }
  // An answer in the same session gives the next message a chain of its own.
  expect(new Set(steps.map(({ chain }) => chain)).size).toBe(steps.length);
});

it('what many sessions have on the way is readable, in whatever order it comes', async () => {
  const both = peers();
  const { ana, bo } = both;
  await ana.signal.takeBundles(await bundleOf(bo));
  await talk(both);
  const under: { text: string; sent: Awaited<ReturnType<typeof write>> }[] = [];
  for (let n = 0; n < 12; n += 1) {
    if (n % 3 === 0) await bo.signal.takeBundles(await bundleOf(ana));
    under.push({ text: `number ${n}`, sent: await write(bo, ana, `number ${n}`) });
    if (n % 4 === 0) await exchange(ana, bo, `answer ${n}`);
  }
  for (const { text, sent } of under.toReversed()) expect(await read(ana, bo, sent)).toBe(text);
  await talk(both);
});

it('a message that no session opens changes none', async () => {
  const both = peers();
  const { ana, bo } = both;
  await ana.signal.takeBundles(await bundleOf(bo));
  await bo.signal.takeBundles(await bundleOf(ana));
  const [toBo, toAna] = [await write(ana, bo, 'a'), await write(bo, ana, 'b')];
  await read(bo, ana, toBo);
  await read(ana, bo, toAna);
  const broken = await write(ana, bo, 'c');
  const last = broken.ciphertext.length - 1;
  broken.ciphertext[last] = (broken.ciphertext[last] ?? 0) ^ 0xff;
  await expect(read(bo, ana, broken)).rejects.toThrow();
  await talk(both);
});
