/**
 * `npm run test:crash [-- --kills N] [--minutes M] [--seed S] [--slow-store] [--without-journal]`
 *
 * The gateway is killed at random moments while everybody writes. Exit code 0 when no promise was broken,
 * 1 with the list of those that were, 2 when the run itself failed. `--slow-store` kills
 * a gateway that stores slowly in the middle of redelivered messages; `--without-journal` does the same to
 * one that keeps no journal besides: that must end with 1, or this test would prove nothing.
 */
import { randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Campaign } from './campaign.ts';

const MOST_SHOWN = 40;

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '25' },
    minutes: { type: 'string', default: '0' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    'slow-store': { type: 'boolean', default: false },
    'without-journal': { type: 'boolean', default: false },
  },
});
const [kills, minutes, seed] = [Number(values.kills), Number(values.minutes), Number(values.seed)];
if (![kills, minutes, seed].every((number) => Number.isFinite(number) && number >= 0)) {
  console.error('--kills, --minutes and --seed take numbers');
  process.exit(2);
}
const without = values['without-journal'];
const entry = fileURLToPath(new URL('./altered-gateway.ts', import.meta.url));
const altered = without ? [entry, 'without-journal'] : values['slow-store'] ? [entry] : null;
console.log(`seed ${seed}${without ? ', without the journal' : ''}`);
try {
  const { violations, figures } = await Campaign.run({
    seed,
    kills,
    minutes,
    ...(altered ? { command: altered, onReceiptsOnly: true, keep: !without } : {}),
    say: (line) => console.log(line),
  });
  for (const violation of violations.slice(0, MOST_SHOWN)) console.error(`✗ ${violation}`);
  if (violations.length > MOST_SHOWN) console.error(`… and ${violations.length - MOST_SHOWN} more`);
  console.log(
    Object.entries(figures)
      .map(([name, value]) => `${name}: ${value}`)
      .join('\n'),
  );
  process.exitCode = violations.length > 0 ? 1 : 0;
} catch (error) {
  console.error(error);
  console.error(`the run itself failed; seed ${seed}`);
  process.exitCode = 2;
}
