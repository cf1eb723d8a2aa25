import { randomInt } from 'node:crypto';
import fc from 'fast-check';

/**
 * What random tests are made of. The same each time: a test that was green turns red by a change alone.
 * `WUTS_TEST_SEED=random` looks further, and a number tries one again.
 */
const given = process.env.WUTS_TEST_SEED ?? '1';
export const SEED = given === 'random' ? randomInt(2 ** 31) : Number(given);
if (given === 'random') console.info(`WUTS_TEST_SEED=${SEED}`);
fc.configureGlobal({ seed: SEED });

export { fc };
