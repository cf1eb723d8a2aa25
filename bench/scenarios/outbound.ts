/** Outbound: `POST /send/text` until the server's ack, against a loop of `sendMessage` that awaits the same. */
import { cpuMs } from '../processes/calls.ts';
import { inLanes, type Timed } from '../processes/lanes.ts';
import { compete, type Figure, quantile, type Row } from '../rounds.ts';
import { CONTACTS, type World } from '../world.ts';

const CONCURRENCIES = [1, 16, 64];

export async function outbound(world: World, options: { rounds: number; messages: number }): Promise<Row[]> {
  const { api, bare, gateway } = world;
  const { messages: count } = options;
  const rows: Row[] = [];
  for (const concurrency of CONCURRENCIES) {
    rows.push(
      await compete({
        scenario: `outbound, ${concurrency} at a time`,
        unit: 'messages/s',
        subject: 'WUTS: POST /send/text answered',
        against: 'bare Baileys: sendMessage acknowledged',
        rounds: options.rounds,
        measureSubject: () =>
          figure(gateway.pid, count, () =>
            inLanes(count, concurrency, (index) =>
              api.ok('POST', '/send/text', {
                number: CONTACTS[index % CONTACTS.length],
                text: `message ${index}`,
              }),
            ),
          ),
        measureAgainst: () =>
          figure(bare.pid, count, () => bare.call<Timed>('send', { to: CONTACTS, count, concurrency })),
      }),
    );
  }
  return rows;
}

async function figure(pid: number, count: number, run: () => Promise<Timed>): Promise<Figure> {
  const before = cpuMs(pid);
  const { tookMs, latencies } = await run();
  // The phones' delivery receipts are still coming in.
  await new Promise((resolve) => setTimeout(resolve, 500));
  return {
    rate: (count * 1000) / tookMs,
    cpuMs: (cpuMs(pid) - before) / count,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
  };
}
