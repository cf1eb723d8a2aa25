/**
 * Fails when something that is installed to run WUTS is under a licence that binds who passes it on: what package-lock.json
 * names, but for what only development needs.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const PERMISSIVE = [
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'Python-2.0',
  'Unlicense',
];
/** Loaded as they are installed, and replaceable: NOTICE names them. */
const LGPL = [/^@img\/sharp-/, /^@libav\.js\/variant-obsolete$/, /^audio-file-decoder$/];

interface Lock {
  packages: Record<string, { license?: string; dev?: boolean; link?: boolean }>;
}

/** One line for each package whose licence is not permissive. */
export function licenceProblems({ packages }: Lock): string[] {
  return Object.entries(packages).flatMap(([path, { license = 'none', dev, link }]) => {
    const name = path.split('node_modules/').at(-1) ?? path;
    if (dev || link || isFree(license, name)) return [];
    return [`${name}: ${license} binds who passes WUTS on`];
  });
}

/** Of an expression of SPDX: one of those that may be chosen, and all of what that names. */
function isFree(expression: string, name: string): boolean {
  const choices = expression.replaceAll(/[()]/g, '').split(' OR ');
  return choices.some((choice) => choice.split(' AND ').every((licence) => isAllowed(licence.trim(), name)));
}

function isAllowed(licence: string, name: string): boolean {
  if (PERMISSIVE.includes(licence)) return true;
  return licence.startsWith('LGPL-') && LGPL.some((allowed) => allowed.test(name));
}

if (process.argv[1] === import.meta.filename) {
  const problems = licenceProblems(JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')));
  for (const problem of problems) console.error(problem);
  console.log(`licences: ${problems.length === 0 ? 'all permissive' : `${problems.length} are not`}`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
