/**
 * `npm run fuzz [-- --seconds N] [--rounds N] [--seed S] [--only KIND,KIND] [--round N] [--most FINDINGS]`
 *
 * Hostile phones and callers throw random and mutated input at a gateway in its own process. After each round
 * the device has to be connected, the next good message stored and delivered, a bystander answered, and at
 * the end the memory has to be back. Exit code 0 when every promise held, 1 with the findings, 2 when the run
 * itself failed. A round is made from the seed and its number alone: `--seed S --round N` repeats it. With `--rounds`
 * there are as many on every machine, which a run that has to be repeatable needs.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Chance } from '../crash/chance.ts';
import { ATTACKS } from './attacks.ts';
import { FuzzWorld } from './world.ts';

/** Inputs of one kind before the promises are looked at. */
const INPUTS_PER_ROUND = 5;
/** What a gateway may hold more than before the first round: caches fill up, heaps grow and stay. */
const MEMORY_SLACK_MIB = 300;
const ROUND_PRIME = 7919;

interface Finding {
  readonly round: number;
  readonly kind: string;
  readonly inputs: readonly unknown[];
  readonly symptom: string;
  readonly log: string;
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string' },
    rounds: { type: 'string' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    only: { type: 'string' },
    round: { type: 'string' },
    most: { type: 'string', default: '20' },
  },
});
const [seed, most] = [Number(values.seed), Number(values.most)];
/** With a number of rounds, time is no limit unless it is given. */
const seconds = Number(values.seconds ?? (values.rounds === undefined ? '60' : 'Infinity'));
const mostRounds = Number(values.rounds ?? 'Infinity');
const ALL_KINDS = Object.keys(ATTACKS);
const wanted = values.only?.split(',');
const kinds = ALL_KINDS.filter((kind) => wanted?.includes(kind) ?? true);
if ([seconds, mostRounds, seed, most].some(Number.isNaN) || kinds.length === 0) {
  console.error(`--seconds, --rounds, --seed and --most take numbers, --only some of ${ALL_KINDS.join(',')}`);
  process.exit(2);
}

/** One round against a world that is well; null when every promise held. */
async function play(world: FuzzWorld, round: number, kind: string): Promise<Finding | null> {
  const chance = new Chance(seed + round * ROUND_PRIME);
  const inputs: unknown[] = [];
  try {
    for (let n = 0; n < INPUTS_PER_ROUND; n += 1) inputs.push(await ATTACKS[kind]?.(world, chance));
    await world.assertWell();
    return null;
  } catch (error) {
    const symptom = error instanceof Error ? error.message : String(error);
    return { round, kind, inputs, symptom, log: world.log() };
  }
}

async function run(): Promise<Finding[]> {
  const findings: Finding[] = [];
  // From when the first world stands: on a busy machine making one takes as long as the attacks.
  let deadline = Number.POSITIVE_INFINITY;
  const only = values.round === undefined ? null : Number(values.round);
  let world: FuzzWorld | null = null;
  let before = 0;
  let rounds = 0;
  try {
    for (
      let round = only ?? 0;
      Date.now() < deadline && rounds < mostRounds && findings.length < most;
      round += 1
    ) {
      // Each kind once before any comes twice; `--only` leaves rounds out and changes none.
      const kind = ALL_KINDS[round % ALL_KINDS.length] ?? '';
      if (only === null && !kinds.includes(kind)) continue;
      if (!world) {
        world = await FuzzWorld.create();
        await world.assertWell();
        before = world.memory;
        if (rounds === 0) deadline = Date.now() + seconds * 1000;
      }
      const finding = await play(world, round, kind);
      rounds += 1;
      if (finding) {
        findings.push(finding);
        report(finding);
        // What one input broke would be found again and again.
        await world.destroy();
        world = null;
      }
      if (only !== null) break;
    }
    const after = world?.memory ?? 0;
    console.log(`${rounds} rounds of ${INPUTS_PER_ROUND} inputs, ${findings.length} findings`);
    if (world) console.log(`memory: ${Math.round(before)} MiB before, ${Math.round(after)} MiB after`);
    if (world && after > before + MEMORY_SLACK_MIB) {
      const symptom = `memory grew from ${Math.round(before)} to ${Math.round(after)} MiB`;
      findings.push({ round: rounds, kind: 'all', inputs: [], symptom, log: '' });
    }
  } finally {
    await world?.destroy();
  }
  return findings;
}

function report({ round, kind, inputs, symptom, log }: Finding): void {
  console.error(`✗ --seed ${seed} --round ${round}: ${kind}: ${symptom}`);
  for (const input of inputs) console.error(`    ${JSON.stringify(input)?.slice(0, 700)}`);
  if (log !== '') console.error(log.replace(/^/gm, '    | ').slice(0, 4000));
}

console.log(
  `seed ${seed}, ${mostRounds === Infinity ? `${seconds} s` : `${mostRounds} rounds`}, kinds: ${kinds.join(', ')}`,
);
try {
  process.exitCode = (await run()).length > 0 ? 1 : 0;
} catch (error) {
  console.error(error);
  console.error(`the run itself failed; seed ${seed}`);
  process.exitCode = 2;
}
// Keep-alive connections of finished requests would hold the process for some seconds.
process.exit();
