/**
 * `npm run mutate -- ROOM [FILE…] [--sample 10%] [--seed S]`: breaks the code of one room bit by bit and runs its
 * tests against each break, or against a random part of them. Prints those that no test noticed, and the share
 * that was noticed.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';
import { EQUIVALENT } from './equivalent.ts';
import { ROOMS } from './rooms.ts';
import { isPicked, type Sample, sampleOfEnvironment } from './sample.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const SRC = 'packages/gateway/src';
const TEST = 'packages/gateway/test';

const MEMORY = '/dev/shm';

const USAGE = `usage: npm run mutate -- ROOM [FILE…] [--sample 10%] [--seed S], ROOM of ${Object.keys(ROOMS).join(', ')}`;

type Result = Awaited<ReturnType<Stryker['runMutationTest']>>[number];

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { sample: { type: 'string' }, seed: { type: 'string' } },
  });
  const [name = '', ...files] = positionals;
  const room = ROOMS[name];
  const percent = /^(\d+(?:\.\d+)?)%?$/.exec(values.sample ?? '100')?.[1];
  if (!room || !percent) throw new Error(USAGE);
  process.chdir(ROOT);
  useFolder();
  process.env.MUTATE_TESTS = room.tests.map((glob) => `${TEST}/${glob}`).join('|');
  if (values.sample) {
    process.env.MUTATE_SHARE = String(Number(percent) / 100);
    process.env.MUTATE_SEED = values.seed ?? String(Date.now());
  }
  const results = await new Stryker({
    mutate: files.length > 0 ? files : room.mutate.map((glob) => `${SRC}/${glob}`),
    // It would be rewritten by TypeScript's own API, which version 7 does not have; the paths in it hold as they are.
    tsconfigFile: 'none',
    testRunner: 'vitest',
    vitest: { related: false, configFile: 'scripts/mutation/vitest.config.ts' },
    plugins: ['@stryker-mutator/vitest-runner', './scripts/mutation/sample.ts'],
    checkers: values.sample ? ['sample'] : [],
    // Texts are for people or checked by types, and so is what an object must have.
    mutator: { excludedMutations: ['StringLiteral', 'ObjectLiteral'] },
    ignorePatterns: ['.mutation', 'bench', 'data', 'demo', 'docs'],
    concurrency: Number(process.env.MUTATE_CONCURRENCY ?? 1),
    ignoreStatic: process.env.MUTATE_STATIC === '0',
    // What ends no test in time: it does not give the thread back.
    timeoutMS: Number(process.env.MUTATE_TIMEOUT_MS ?? 15_000),
    dryRunTimeoutMinutes: 30,
    reporters: ['progress-append-only', 'json'],
    jsonReporter: { fileName: `.mutation/${name}.json` },
    tempDirName: '.mutation/tmp',
    thresholds: { high: 85, low: 60, break: null },
  }).runMutationTest();
  report(name, results, sampleOfEnvironment());
}

/**
 * A folder for what the tests write, in memory where the system has such a place (Linux): each test makes a database,
 * and a test that a mutant made hang leaves it behind.
 */
function useFolder(): void {
  const folder = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'wuts-mutate-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  process.once('SIGINT', () => process.exit(130));
  process.env.MUTATE_FOLDER = folder;
  process.env.NODE_COMPILE_CACHE = join(folder, 'compiled');
  process.env.TMPDIR = join(folder, 'tmp');
  mkdirSync(process.env.TMPDIR);
}

function report(name: string, results: Result[], sample: Sample | undefined): void {
  const known = results.filter(({ status }) => status !== 'Ignored');
  const judged = known.filter(
    ({ id, status }) =>
      ['Killed', 'Timeout', 'Survived', 'NoCoverage'].includes(status) && (!sample || isPicked(sample, id)),
  );
  const alive = judged.filter(({ status }) => status === 'Survived' || status === 'NoCoverage');
  const same = alive.filter((result) => isEquivalent(result));
  for (const result of alive.filter((each) => !same.includes(each))) {
    console.log(
      `${placeOf(result)} ${result.status === 'Survived' ? result.mutatorName : 'no test gets here'}`,
    );
    console.log(`  - ${collapsed(original(result))}\n  + ${collapsed(result.replacement ?? '')}`);
  }
  // On a busy machine a time-out is no verdict: look at those it names.
  for (const result of judged.filter((each) => ranOutOfTime(each))) {
    console.log(`${placeOf(result)} timed out\n  + ${collapsed(result.replacement ?? '')}`);
  }
  const counted = judged.length - same.length;
  const killed = judged.length - alive.length;
  const share = counted === 0 ? 100 : (100 * killed) / counted;
  console.log(
    `${name}: ${share.toFixed(1)} % (${killed} of ${counted} noticed; ${same.length} change nothing; ${judged.length} of ${known.length} tried)`,
  );
  if (sample) {
    const inDoubt = 1.96 * Math.sqrt((share * (100 - share)) / Math.max(1, counted));
    console.log(
      `  a sample by seed ${sample.seed}: 19 of 20 such samples are within ${inDoubt.toFixed(1)} points`,
    );
  }
}

function placeOf({ fileName, location: { start } }: Result): string {
  return `${relative(ROOT, fileName)}:${start.line}:${start.column}`;
}

/** By Stryker's clock, or by Vitest's for a test. */
function ranOutOfTime({ status, statusReason = '' }: Result): boolean {
  return status === 'Timeout' || (status === 'Killed' && / timed out /.test(statusReason));
}

function isEquivalent(result: Result): boolean {
  const file = relative(join(ROOT, SRC), result.fileName);
  const code = collapsed(original(result));
  return EQUIVALENT.some(
    (each) =>
      each.file === file && each.code === code && (each.mutant ?? result.replacement) === result.replacement,
  );
}

/** The code that a mutant replaces. Lines and columns of a location start at 1. */
function original({ fileName, location: { start, end } }: Result): string {
  const lines = readFileSync(fileName, 'utf8')
    .split('\n')
    .slice(start.line - 1, end.line);
  const last = lines.length - 1;
  return lines
    .map((line, i) => line.slice(i === 0 ? start.column - 1 : 0, i === last ? end.column - 1 : undefined))
    .join('\n');
}

function collapsed(code: string): string {
  return code.replace(/\s+/g, ' ').trim();
}

await main();
