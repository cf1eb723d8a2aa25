/**
 * Fails when a regular expression of the packages can take longer than linear time: whoever writes the text
 * that it reads could stop everybody with it.
 *
 * `recheck` decides: by an automaton where the expression has neither look-around nor back reference nor a
 * large repetition (its answer is a proof then), by fuzzing elsewhere. It takes expressions as the searches
 * they are, so `/=+$/` is found too: it begins anew at each `=` of a long run. What could not be decided is
 * refused. Verdicts are kept in node_modules: only new expressions cost time.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';
import { type AnyNode, type Expression, type Node, type Property, parse } from 'acorn';
import { full } from 'acorn-walk';
import { check } from 'recheck';

const ROOT = join(import.meta.dirname, '..');
const SOURCES = ['packages/gateway/src', 'packages/sandbox/src', 'packages/signal/src'];
const VERDICTS = join(ROOT, 'node_modules/.cache/wuts/regexes.json');
/** Milliseconds for one expression; the slowest takes 2 s on an idle machine. */
const TIMEOUT = 300_000;
/** Nothing else by the clock, so that a busy machine comes to the same verdict. */
const NO_CLOCK = { attackTimeout: null, incubationTimeout: null };

/** Where an expression is put together of those that are checked where they are written, and reads no text of others. */
const PUT_TOGETHER = ['packages/gateway/src/api/description/nulls.ts'];

interface Found {
  /** `file:line`. */
  place: string;
  /** Null: made of something that is not known here. */
  source: string | null;
  flags: string;
}

export interface Verdict {
  linear: boolean;
  why: string;
}

/** Every regular expression of a TypeScript source: literals, `RegExp(…)`, and `pattern`s of JSON schemas. */
export function regexesOf(code: string, file: string): Found[] {
  const tree = parse(stripTypeScriptTypes(code), {
    ecmaVersion: 'latest',
    sourceType: 'module',
    locations: true,
  });
  const found: Found[] = [];
  full(tree, (node: Node) => {
    const regex = regexOf(node as AnyNode);
    if (regex) found.push({ place: `${file}:${node.loc?.start.line}`, ...regex });
  });
  return found;
}

function regexOf(node: AnyNode): { source: string | null; flags: string } | null {
  if (node.type === 'Literal' && node.regex) return { source: node.regex.pattern, flags: node.regex.flags };
  if (node.type === 'NewExpression' || node.type === 'CallExpression') {
    const isRegExp = node.callee.type === 'Identifier' && node.callee.name === 'RegExp';
    const [pattern, flags] = node.arguments;
    return isRegExp ? { source: textOf(pattern), flags: textOf(flags) ?? '' } : null;
  }
  // Ajv makes expressions of them with the flag u.
  return isPattern(node) ? { source: textOf(node.value), flags: 'u' } : null;
}

function isPattern(node: AnyNode): node is Property {
  return node.type === 'Property' && node.key.type === 'Identifier' && node.key.name === 'pattern';
}

function textOf(node: Expression | { type: 'SpreadElement' } | undefined): string | null {
  return node?.type === 'Literal' && typeof node.value === 'string' ? node.value : null;
}

/** Does it run in linear time, and what says so. */
export async function verdictOn(source: string, flags: string): Promise<Verdict> {
  const said = await check(source, flags, { timeout: TIMEOUT, ...NO_CLOCK });
  if (said.status === 'safe') return { linear: true, why: said.complexity.summary };
  if (said.status === 'unknown') return { linear: false, why: `undecided: ${said.error.kind}` };
  const { complexity, attack } = said;
  return { linear: false, why: `${complexity.summary}, for example with ${attack.pattern.slice(0, 200)}` };
}

function sources(): string[] {
  return SOURCES.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => join(folder, path)),
  );
}

function keptVerdicts(): Map<string, Verdict> {
  try {
    return new Map(Object.entries(JSON.parse(readFileSync(VERDICTS, 'utf8')) as Record<string, Verdict>));
  } catch {
    return new Map();
  }
}

async function main(): Promise<void> {
  const kept = keptVerdicts();
  const verdicts = new Map<string, Verdict>();
  const problems: string[] = [];
  const all = sources().flatMap((file) => regexesOf(readFileSync(join(ROOT, file), 'utf8'), file));
  for (const { place, source, flags } of all) {
    if (source === null && PUT_TOGETHER.some((file) => place.startsWith(`${file}:`))) continue;
    if (source === null) {
      problems.push(`${place}: made at run time; nobody can say how long it takes`);
      continue;
    }
    const text = `/${source}/${flags}`;
    const verdict = verdicts.get(text) ?? kept.get(text) ?? (await verdictOn(source, flags));
    verdicts.set(text, verdict);
    if (!verdict.linear) problems.push(`${place}: ${text.slice(0, 200)} is not linear: ${verdict.why}`);
  }
  mkdirSync(dirname(VERDICTS), { recursive: true });
  writeFileSync(VERDICTS, JSON.stringify(Object.fromEntries(verdicts)));
  for (const problem of problems) console.error(problem);
  const result = problems.length === 0 ? 'all linear' : `${problems.length} refused`;
  console.log(`regular expressions: ${all.length}, ${result}`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}

if (process.argv[1] === import.meta.filename) await main();
