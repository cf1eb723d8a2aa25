/**
 * A random part of a room's mutants, where all of them take too long: the same seed picks the same ones of the
 * same code. For Stryker it is a checker, which is asked of each mutant whether it is worth a test run.
 */
import { createHash } from 'node:crypto';

export interface Sample {
  /** The share of mutants that are tried, 0 to 1. */
  share: number;
  seed: string;
}

/** By Stryker's id of a mutant, its place in the list of all. */
export function isPicked({ share, seed }: Sample, id: string): boolean {
  const drawn = createHash('sha256').update(`${seed}/${id}`).digest().readUInt32BE();
  return drawn < share * 2 ** 32;
}

/** Stryker loads this file in a process of its own, which gets the environment alone. */
export function sampleOfEnvironment(): Sample | undefined {
  const { MUTATE_SHARE, MUTATE_SEED } = process.env;
  return MUTATE_SHARE && MUTATE_SEED ? { share: Number(MUTATE_SHARE), seed: MUTATE_SEED } : undefined;
}

/** `CompileError` is what a checker has to say against a mutant; the report leaves those out. */
function check(mutants: { id: string }[]): Promise<Record<string, { status: string; reason?: string }>> {
  const sample = sampleOfEnvironment();
  const verdicts = mutants.map(({ id }) =>
    !sample || isPicked(sample, id)
      ? [id, { status: 'passed' }]
      : [id, { status: 'compileError', reason: 'not in the sample' }],
  );
  return Promise.resolve(Object.fromEntries(verdicts));
}

/** All at once, for one call of `check`. */
function group(mutants: { id: string }[]): Promise<string[][]> {
  return Promise.resolve([mutants.map(({ id }) => id)]);
}

export const strykerPlugins = [
  { kind: 'Checker', name: 'sample', factory: () => ({ init: () => Promise.resolve(), check, group }) },
];
