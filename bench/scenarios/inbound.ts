/** Inbound: phone → socket → durable → webhook answered, against a bare client's `messages.upsert`. */
import { cpuMs, nowMs, type Part } from '../processes/calls.ts';
import { type Arrivals, Tally } from '../processes/tally.ts';
import { compete, type Figure, quantile, type Row } from '../rounds.ts';
import { BARE_PHONE, CONTACTS, type World, WUTS_PHONE } from '../world.ts';

/** Messages per second of the stream whose latency is measured: far from what either can take. */
const CALM_RATE = 40;
const CALM_MESSAGES = 80;
/** How long what a round leaves to do (receipts, journal) may still use CPU that is counted. */
const AFTERMATH_MS = 700;

export interface Side {
  name: string;
  number: string;
  pid: number;
  until(what: { stream: string; count: number }): Promise<Arrivals>;
}

/**
 * The network encrypts the stream first and holds it back; the clock starts when it is let go, so what is
 * measured is the receiver and not the phones.
 */
export async function inbound(world: World, options: { rounds: number; messages: number }): Promise<Row[]> {
  const wuts = wutsSide(world);
  const bare: Side = {
    name: 'bare',
    number: BARE_PHONE,
    pid: world.bare.pid,
    until: (what) => world.bare.call('until', what),
  };
  // A first connection holds its events back for up to 20 s (Baileys chats.js, AwaitingInitialSync).
  for (const side of [wuts, bare]) await calm(world.network, side, 'first', CONTACTS.length);
  const what = world.webhook ? 'webhook answered' : 'seen by GET /events';
  const subject = `WUTS: durable, ${what}`;
  const against = 'bare Baileys: messages.upsert';
  return [
    await compete({
      scenario: `inbound, ${options.messages} at once`,
      unit: 'messages/s',
      subject,
      against,
      rounds: options.rounds,
      measureSubject: (round) => burst(world.network, wuts, round, options.messages),
      measureAgainst: (round) => burst(world.network, bare, round, options.messages),
    }),
    await compete({
      scenario: `inbound latency at ${CALM_RATE}/s`,
      unit: 'per ms (1/p50)',
      subject,
      against,
      rounds: options.rounds,
      measureSubject: (round) => calm(world.network, wuts, `calm${round}`, CALM_MESSAGES),
      measureAgainst: (round) => calm(world.network, bare, `calm${round}`, CALM_MESSAGES),
    }),
  ];
}

/** The gateway as it runs now. */
export function wutsSide(world: World): Side {
  return {
    name: 'wuts',
    number: WUTS_PHONE,
    pid: world.gateway.pid,
    until: world.webhook ? (what) => world.receiver.call('until', what) : pulling(world),
  };
}

export async function burst(network: Part, side: Side, round: number, count: number): Promise<Figure> {
  const stream = `${side.name}-burst${round}`;
  const from = CONTACTS;
  await network.call('hold', { number: side.number });
  await network.call('stream', { from, to: side.number, stream, count });
  const arrived = side.until({ stream, count });
  const cpuBefore = cpuMs(side.pid);
  const releasedAt = await network.call<number>('release', { number: side.number });
  const { lastAt } = await arrived;
  await network.call('acknowledged', { number: side.number });
  await new Promise((resolve) => setTimeout(resolve, AFTERMATH_MS));
  const tookMs = lastAt - releasedAt;
  return { rate: (count * 1000) / tookMs, cpuMs: (cpuMs(side.pid) - cpuBefore) / count };
}

export async function calm(network: Part, side: Side, name: string, count: number): Promise<Figure> {
  const stream = `${side.name}-${name}`;
  const arrived = side.until({ stream, count });
  await network.call('stream', { from: CONTACTS, to: side.number, stream, count, perSecond: CALM_RATE });
  const { latencies } = await arrived;
  const p50 = quantile(latencies, 0.5);
  return { rate: 1 / p50, p50, p99: quantile(latencies, 0.99) };
}

/** Asks for events again and again: all that can be done while there is no webhook. */
function pulling({ api }: World): Side['until'] {
  const tally = new Tally();
  let after = 'latest';
  return async (what) => {
    const found = tally.until(what);
    let waiting = true;
    found
      .catch(() => undefined)
      .finally(() => {
        waiting = false;
      });
    const deadline = nowMs() + 60_000;
    if (after === 'latest') after = (await api.ok('GET', '/events?after=latest')).body.next;
    while (waiting && nowMs() < deadline) {
      const page = await api.ok('GET', `/events?event=message.received&limit=1000&after=${after}`);
      after = page.body.next;
      for (const { data } of page.body.events) tally.add(String(data.content));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return found;
  };
}
