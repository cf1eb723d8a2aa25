/**
 * Fails when a commit that is not yet on the upstream breaks the habits of CONTRIBUTING.md: a subject of at
 * most 70 characters in the imperative; and when the sources of a package change without a line in
 * CHANGELOG.md. `--base REF` compares with another commit; without one, with the upstream of this branch, or
 * the last tag. A commit whose body has the line `No changelog: <reason>` needs no entry.
 */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const LONGEST_SUBJECT = 70;
/** Endings of a first word that no imperative has, but for these. */
const NOT_IMPERATIVE = /(?:ed|ing)$/i;
const IMPERATIVES = new Set([
  'bring',
  'embed',
  'exceed',
  'feed',
  'need',
  'ping',
  'proceed',
  'seed',
  'shed',
  'speed',
  'string',
]);

export interface Commit {
  hash: string;
  subject: string;
  body: string;
  files: string[];
}

/** What is wrong with each commit's subject, and with all of them together. */
export function complaints(commits: readonly Commit[]): string[] {
  const found = commits.flatMap(({ hash, subject }) =>
    subjectComplaints(subject).map((complaint) => `${hash.slice(0, 7)} "${subject}": ${complaint}`),
  );
  const changing = commits.filter(
    ({ files, body }) => files.some(isSource) && !/^No changelog: \S/m.test(body),
  );
  const told = commits.some(({ files }) => files.includes('CHANGELOG.md'));
  if (changing.length > 0 && !told) {
    const hashes = changing.map(({ hash }) => hash.slice(0, 7)).join(', ');
    found.push(
      `${hashes}: sources change and CHANGELOG.md does not; add a line, or "No changelog: <reason>"`,
    );
  }
  return found;
}

function subjectComplaints(subject: string): string[] {
  const found: string[] = [];
  const [first = ''] = subject.split(' ', 1);
  if (subject.length > LONGEST_SUBJECT)
    found.push(`has ${subject.length} characters, ${LONGEST_SUBJECT} at most`);
  if (subject.endsWith('.')) found.push('ends with a full stop');
  if (!/^\p{Lu}/u.test(subject)) found.push('does not begin with a capital letter');
  if (NOT_IMPERATIVE.test(first) && !IMPERATIVES.has(first.toLowerCase()))
    found.push('is not in the imperative');
  return found;
}

function isSource(path: string): boolean {
  return /^packages\/[^/]+\/src\//.test(path);
}

function git(...args: string[]): string {
  return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

/** The first of what may be compared with that exists; null in a clone that has none of it. */
function baseCommit(): string | null {
  for (const ask of [
    ['rev-parse', '--verify', '@{upstream}'],
    ['rev-parse', '--verify', 'origin/HEAD'],
    ['describe', '--tags', '--abbrev=0'],
  ]) {
    try {
      return git(...ask);
    } catch {
      // The next one.
    }
  }
  return null;
}

function commitsSince(base: string): Commit[] {
  const hashes = git('rev-list', '--no-merges', `${base}..HEAD`).split('\n').filter(Boolean);
  return hashes.map((hash) => ({
    hash,
    subject: git('show', '-s', '--format=%s', hash),
    body: git('show', '-s', '--format=%b', hash),
    files: git('show', '--format=', '--name-only', hash).split('\n'),
  }));
}

function main(): void {
  const { values } = parseArgs({ options: { base: { type: 'string' } } });
  const base = values.base ?? baseCommit();
  if (base === null) {
    console.log('commits: no upstream and no tag to compare with');
    return;
  }
  const commits = commitsSince(base);
  const found = complaints(commits);
  for (const complaint of found) console.error(complaint);
  console.log(
    `commits: ${commits.length} looked at, ${found.length === 0 ? 'all well' : `${found.length} wrong`}`,
  );
  process.exitCode = found.length === 0 ? 0 : 1;
}

if (process.argv[1] === import.meta.filename) main();
