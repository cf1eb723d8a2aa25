/** A story to thousands: until the last of them has it, with what the device does meanwhile. */
import { cpuMs, nowMs, residentBytes } from '../processes/calls.ts';
import { type Figure, quantile, type Row, spread } from '../rounds.ts';
import type { World } from '../world.ts';
import { CONTACTS } from '../world.ts';

const PEOPLE = 2000;
/** Texts that the device sends one after the other while the story goes out, and before. */
const QUIET_TEXTS = 20;

/** `people`: how many see it. */
export async function stories(world: World, { people = PEOPLE }: { people?: number } = {}): Promise<Row[]> {
  const { api, gateway, network } = world;
  const numbers = Array.from({ length: people }, (_, index) => String(5_511_960_000_000 + index));
  await network.call('phones', { numbers });
  const quiet = await texts(api, (sent) => sent < QUIET_TEXTS);
  const memoryBefore = mebibytes(gateway.pid);
  let memory = memoryBefore;
  const cpuBefore = cpuMs(gateway.pid);
  const begun = nowMs();
  const posted = await api.ok('POST', '/status/text', { text: 'Open until ten', audience: numbers });
  const answered = nowMs() - begun;
  const id: string = posted.body.message_id;
  let done = false;
  const story = following(api, id, () => {
    memory = Math.max(memory, mebibytes(gateway.pid));
  }).finally(() => {
    done = true;
  });
  const meanwhile = await texts(api, () => !done);
  const { reached, refused } = await story;
  const tookMs = nowMs() - begun;
  const cpu = cpuMs(gateway.pid) - cpuBefore;
  if (reached !== people + 1 || refused !== 0) throw new Error(`it reached ${reached} of ${people + 1}`);
  const copies = await network.call<number[]>('copies', { numbers, id });
  const wrong = copies.filter((each) => each !== 1).length;
  if (wrong > 0) throw new Error(`${wrong} phones do not have the story once`);
  console.error(
    `a story to ${people}: answered after ${Math.round(answered)} ms, the last ack after ${Math.round(tookMs)} ms; ` +
      `memory ${memoryBefore} → ${memory} MB; CPU ${(cpu / people).toFixed(1)} ms a person; ` +
      `${meanwhile.length} texts meanwhile`,
  );
  const subject: Figure = rateOf(meanwhile);
  const against: Figure = rateOf(quiet);
  const ratio = subject.rate / against.rate;
  return [
    {
      scenario: `texts while a story goes to ${people}`,
      unit: 'messages/s',
      subject: 'WUTS posting the story',
      against: 'WUTS before it',
      rounds: [{ subject, against, ratio }],
      ratio: spread([ratio]),
      subjectRate: spread([subject.rate]),
      againstRate: spread([against.rate]),
    },
  ];
}

/** Sends texts, one after the other, as long as `more`; how long each took, milliseconds. */
async function texts(api: World['api'], more: (sent: number) => boolean): Promise<number[]> {
  const latencies: number[] = [];
  while (more(latencies.length)) {
    const from = nowMs();
    const number = CONTACTS[latencies.length % CONTACTS.length];
    await api.ok('POST', '/send/text', { number, text: `message ${latencies.length}` });
    latencies.push(nowMs() - from);
  }
  return latencies;
}

function rateOf(latencies: readonly number[]): Figure {
  const sorted = [...latencies].sort((a, b) => a - b);
  const sum = sorted.reduce((all, each) => all + each, 0);
  return {
    rate: (latencies.length * 1000) / sum,
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
  };
}

async function following(
  api: World['api'],
  id: string,
  look: () => void,
): Promise<{ reached: number; refused: number }> {
  for (;;) {
    const { body } = await api.ok('GET', `/stories/${id}`);
    look();
    if (body.story.state === 'posted') return body.story;
    if (body.story.state !== 'posting')
      throw new Error(`the story is ${body.story.state}: ${body.story.error}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function mebibytes(pid: number): number {
  return Math.round(residentBytes(pid) / 2 ** 20);
}
