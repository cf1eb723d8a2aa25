/** A story to thousands: until the server has it for the last of them, what it costs, and what else the device sends meanwhile. */
import { cpuMs, nowMs, residentBytes } from '../processes/calls.ts';
import { type Figure, quantile, type Row, spread } from '../rounds.ts';
import type { World } from '../world.ts';
import { CONTACTS } from '../world.ts';

const PEOPLE = 2000;
/** Texts that the device sends one after the other before the story; as many warm up. */
const QUIET_TEXTS = 100;
/** Of those who see a story, one in so many is a phone, which reads it afterwards: reading costs it 30 ms. */
const PHONE_EVERY = 50;
const LOOK_EVERY_MS = 200;

interface Posted {
  tookMs: number;
  answeredMs: number;
  cpuMs: number;
  /** MiB, before and at most. */
  memory: [number, number];
  /** Of all that the accounts have of it, encrypted. */
  bytes: number;
  /** Of the texts that the device sent meanwhile, milliseconds each. */
  texts: number[];
}

/** `people`: how many see each story. The first goes to new people, the second to them again, the third to new ones beside texts. */
export async function stories(world: World, { people = PEOPLE }: { people?: number } = {}): Promise<Row[]> {
  const { api } = world;
  const first = await audience(world, 5_511_960_000_000, people);
  const second = await audience(world, 5_511_970_000_000, people);
  await texts(api, (sent) => sent < QUIET_TEXTS);
  const quiet = await texts(api, (sent) => sent < QUIET_TEXTS);
  const fresh = await post(world, first, false);
  const again = await post(world, first, false);
  const beside = await post(world, second, true);
  const told = { 'new people': fresh, 'the same again': again, 'new people, beside texts': beside };
  for (const [name, posted] of Object.entries(told)) say(`${people} people, ${name}`, posted, people);
  console.error(`texts before: ${latencies(quiet)}; beside the story: ${latencies(beside.texts)}`);
  const perCpu = ({ cpuMs: cpu }: Posted): Figure => ({ rate: (people * 1000) / cpu, cpuMs: cpu / people });
  return [
    row(`a story to ${people} once more`, 'people per second of CPU', {
      subject: ['WUTS, to the same people', perCpu(again)],
      against: ['WUTS, to new ones', perCpu(fresh)],
    }),
    row(`texts while a story goes to ${people}`, 'messages/s', {
      subject: ['WUTS posting the story', rateOf(beside.texts)],
      against: ['WUTS before it', rateOf(quiet)],
    }),
  ];
}

/** Accounts that nobody reads for, with a phone among them now and then. */
async function audience({ network }: World, from: number, people: number): Promise<string[]> {
  const numbers = Array.from({ length: people }, (_, index) => String(from + index));
  await network.call('audience', { numbers, phoneEvery: PHONE_EVERY });
  return numbers;
}

/** Posts a story and follows it to its end; throws unless everybody has it once, and the phones can read it. */
async function post(world: World, numbers: string[], withTexts: boolean): Promise<Posted> {
  const { api, gateway, network } = world;
  const text = `Open until ${nowMs()}`;
  const before = mebibytes(gateway.pid);
  let most = before;
  const cpuBefore = cpuMs(gateway.pid);
  const begun = nowMs();
  const posted = await api.ok('POST', '/status/text', { text, audience: numbers });
  const answeredMs = nowMs() - begun;
  const id: string = posted.body.message_id;
  let done = false;
  const story = following(api, id, () => {
    most = Math.max(most, mebibytes(gateway.pid));
  }).finally(() => {
    done = true;
  });
  const sent = withTexts ? await texts(api, () => !done) : [];
  const { reached, refused } = await story;
  const tookMs = nowMs() - begun;
  const cpu = cpuMs(gateway.pid) - cpuBefore;
  if (reached !== numbers.length + 1 || refused !== 0) throw new Error(`it reached ${reached}`);
  const found = await network.call<{ wrong: string[]; bytes: number }>('story', { numbers, id, text });
  if (found.wrong.length > 0) throw new Error(`not all have the story once: ${found.wrong.slice(0, 3)}`);
  return { tookMs, answeredMs, cpuMs: cpu, memory: [before, most], bytes: found.bytes, texts: sent };
}

/** Sends texts, one after the other, as long as `more`; how long each took, milliseconds. */
async function texts(api: World['api'], more: (sent: number) => boolean): Promise<number[]> {
  const took: number[] = [];
  while (more(took.length)) {
    const from = nowMs();
    const number = CONTACTS[took.length % CONTACTS.length];
    await api.ok('POST', '/send/text', { number, text: `message ${took.length}` });
    took.push(nowMs() - from);
  }
  return took;
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
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

function say(name: string, posted: Posted, people: number): void {
  const { answeredMs, tookMs, cpuMs: cpu, memory, bytes } = posted;
  console.error(
    `${name}: answered after ${Math.round(answeredMs)} ms, the last ack after ${Math.round(tookMs)} ms; ` +
      `CPU ${(cpu / people).toFixed(2)} ms and ${Math.round(bytes / people)} bytes a person; memory ${memory.join(' → ')} MB`,
  );
}

function latencies(took: readonly number[]): string {
  const sorted = [...took].sort((a, b) => a - b);
  const at = (share: number) => quantile(sorted, share).toFixed(1);
  return `${took.length}, p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms`;
}

function rateOf(took: readonly number[]): Figure {
  const sorted = [...took].sort((a, b) => a - b);
  const sum = sorted.reduce((all, each) => all + each, 0);
  return { rate: (took.length * 1000) / sum, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
}

/** One round: each story can be new once. */
function row(
  scenario: string,
  unit: string,
  sides: { subject: [string, Figure]; against: [string, Figure] },
): Row {
  const [[subject, ours], [against, theirs]] = [sides.subject, sides.against];
  const ratio = ours.rate / theirs.rate;
  return {
    scenario,
    unit,
    subject,
    against,
    rounds: [{ subject: ours, against: theirs, ratio }],
    ratio: spread([ratio]),
    subjectRate: spread([ours.rate]),
    againstRate: spread([theirs.rate]),
  };
}

function mebibytes(pid: number): number {
  return Math.round(residentBytes(pid) / 2 ** 20);
}
