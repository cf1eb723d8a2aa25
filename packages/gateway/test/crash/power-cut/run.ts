/**
 * `npm run test:powercut [-- --cuts N] [--seed S] [--without-sync]`
 *
 * The gateway loses its power at random moments while everybody writes: it is gone, and so is what it had not
 * synced, all or some of it (`power-cut.c`). `--without-sync` does the same to one that is told not to sync
 * its commits: that must end with 1, or this test would prove nothing. Needs Linux with glibc, and gcc.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { numbersOf, runAndTell } from '../telling.ts';

/** Cuts where the most can be lost, and does not wait for what is. */
const WITHOUT = {
  settings: { WUTS_DATABASE_SYNC: 'normal' },
  onReceiptsOnly: true,
  keep: false,
  drainMs: 30_000,
};

const { values } = parseArgs({
  options: {
    cuts: { type: 'string', default: '15' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    'without-sync': { type: 'boolean', default: false },
  },
});
const { cuts, seed } = numbersOf(values, ['cuts', 'seed']);
const without = values['without-sync'];
await runAndTell(without ? 'commits not synced' : '', {
  seed,
  kills: cuts,
  minutes: 0,
  powerCuts: true,
  // A disk as slow as this one, and one that takes notes, does not keep up with more.
  perSecond: 4,
  ...(without ? WITHOUT : {}),
});
