/**
 * How long the room's tests take while nothing is broken, by the file of tests: written once the first run, before
 * any mutant, is over. A runner of tests that Stryker starts anew after a time-out finds it on the disk.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Milliseconds. */
export interface Durations {
  /** By the path of the file of tests. */
  files: Record<string, number>;
  /** By Vitest's id of a test, which is the same in each run. */
  tests: Record<string, number>;
}

const path = (): string => join(process.env.MUTATE_FOLDER ?? '', 'durations.json');

export function isMeasured(): boolean {
  return existsSync(path());
}

/** Empty before the first run is over. */
export function readDurations(): Durations {
  return isMeasured() ? (JSON.parse(readFileSync(path(), 'utf8')) as Durations) : { files: {}, tests: {} };
}

export function keepDurations(durations: Durations): void {
  writeFileSync(path(), JSON.stringify(durations));
}
