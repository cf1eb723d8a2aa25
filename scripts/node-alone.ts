/** A PATH that holds Node, npm and git alone, so that a test that needs more fails on every machine. */
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';

// npm runs scripts by sh.
const PROGRAMS = ['node', 'npm', 'npx', 'git', 'sh'];

/** Makes it; on Windows, where links take a privilege, it is the PATH as it is. */
export function nodeAlone(): string {
  const path = process.env.PATH ?? '';
  if (process.platform === 'win32') return path;
  const root = join(import.meta.dirname, '..');
  const folder = join(root, 'node_modules/.cache/node-alone');
  mkdirSync(folder, { recursive: true });
  for (const program of PROGRAMS) {
    const link = join(folder, program);
    // The links of a run that is in progress are the same ones.
    if (existsSync(link)) continue;
    const found = path.split(delimiter).find((each) => existsSync(join(each, program)));
    if (!found) continue;
    rmSync(link, { force: true });
    symlinkSync(join(found, program), link);
  }
  return folder;
}
