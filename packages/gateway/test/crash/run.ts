/**
 * `npm run test:crash [-- --kills N] [--minutes M] [--seed S] [--slow-store] [--without-journal]`
 *
 * The gateway is killed at random moments while everybody writes. `--slow-store` kills a gateway that stores
 * slowly in the middle of redelivered messages; `--without-journal` does the same to one that keeps no journal
 * besides: that must end with 1, or this test would prove nothing.
 */
import { randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { numbersOf, runAndTell } from './telling.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '25' },
    minutes: { type: 'string', default: '0' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    'slow-store': { type: 'boolean', default: false },
    'without-journal': { type: 'boolean', default: false },
  },
});
const { kills, minutes, seed } = numbersOf(values, ['kills', 'minutes', 'seed']);
const without = values['without-journal'];
const entry = fileURLToPath(new URL('./altered-gateway.ts', import.meta.url));
const altered = without ? [entry, 'without-journal'] : values['slow-store'] ? [entry] : null;
await runAndTell(without ? 'without the journal' : '', {
  seed,
  kills,
  minutes,
  ...(altered ? { command: altered, onReceiptsOnly: true, keep: !without } : {}),
});
