/**
 * How long the room's tests take while nothing is broken, by the file of tests: written once the first run, before
 * any mutant, is over. A runner of tests that Stryker starts anew after a time-out finds it on the disk.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Duration {
  /** The whole file, milliseconds. */
  all: number;
  /** Its slowest test, milliseconds. */
  slowest: number;
}

const path = (): string => join(process.env.MUTATE_FOLDER ?? '', 'durations.json');

export function isMeasured(): boolean {
  return existsSync(path());
}

/** By the path of the file. Empty before the first run is over. */
export function readDurations(): Record<string, Duration> {
  return isMeasured() ? (JSON.parse(readFileSync(path(), 'utf8')) as Record<string, Duration>) : {};
}

export function keepDurations(durations: Record<string, Duration>): void {
  writeFileSync(path(), JSON.stringify(durations));
}
