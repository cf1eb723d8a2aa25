/** Vitest's global set-up: when all tests are through, explains every statement that they made the gateway prepare. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { explainAll } from './plans.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A folder, one file for each test file. */
    statements: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'wuts-statements-'));
  project.provide('statements', folder);
  return async () => {
    const asked = new Map<string, string>();
    for (const name of await readdir(folder)) {
      const entries = JSON.parse(await readFile(join(folder, name), 'utf8')) as [string, string][];
      for (const [sql, by] of entries) asked.set(sql, by);
    }
    await rm(folder, { recursive: true, force: true });
    const { explained, findings } = await explainAll(asked);
    console.log(`statement plans: ${explained} explained, ${findings.length} read more than they need`);
    for (const finding of findings) console.error(`\n${finding}`);
    // The tests have passed by then, and the run fails all the same.
    if (findings.length > 0) process.exitCode = 1;
  };
}
