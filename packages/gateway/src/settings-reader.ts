/** Reads settings by name from an environment and gathers the mistakes, so that one error names all of them. */
import { readFileSync } from 'node:fs';
import { nearestName } from './nearest-name.ts';

/** A variable that looks like a setting and is none. */
export interface UnknownSetting {
  name: string;
  /** The setting that was probably meant. */
  meant: string | null;
}

/** The settings cannot be used. The message lists every problem and shows no value of a secret. */
export class ConfigError extends Error {
  readonly problems: string[];

  constructor(problems: string[]) {
    super(`the configuration is not valid:\n${problems.map((each) => `  - ${each}`).join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

const SIZE_UNITS: Record<string, number> = {
  '': 1,
  B: 1,
  KB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  TB: 1000 ** 4,
  KIB: 1024,
  MIB: 1024 ** 2,
  GIB: 1024 ** 3,
  TIB: 1024 ** 4,
};

const TIME_UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export class SettingsReader {
  readonly #env: NodeJS.ProcessEnv;
  readonly #problems: string[] = [];
  readonly #known = new Set<string>();

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  problem(name: string, text: string): void {
    this.#problems.push(`${name} ${text}`);
  }

  /** Throws when anything was wrong. */
  finish(): void {
    if (this.#problems.length > 0) throw new ConfigError(this.#problems);
  }

  /** Variables that begin with `prefix` and were neither read nor are among `others`. Call it after all others. */
  unknown(prefix: string, others: readonly string[]): UnknownSetting[] {
    const known = [...this.#known, ...others];
    return Object.keys(this.#env)
      .filter((name) => name.startsWith(prefix) && !known.includes(name))
      .sort()
      .map((name) => ({ name, meant: nearestName(known, name) }));
  }

  /** A setting that is empty counts as absent: that is how compose files pass on what is not set. */
  #value(name: string): string | null {
    this.#known.add(name);
    const value = this.#env[name]?.trim();
    return value === undefined || value === '' ? null : value;
  }

  optional<T>(name: string, parse: (text: string) => T): T | null {
    const value = this.#value(name);
    return value === null ? null : this.#parsed(name, value, parse);
  }

  text(name: string, fallback: string): string {
    return this.#value(name) ?? fallback;
  }

  integer(name: string, fallback: number, least: number, most: number): number {
    const parse = (text: string): number => {
      const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      if (!(number >= least && number <= most)) throw new Error(`must be a number from ${least} to ${most}`);
      return number;
    };
    return this.optional(name, parse) ?? fallback;
  }

  boolean(name: string, fallback: boolean): boolean {
    const value = this.choice(
      name,
      ['true', 'false', '1', '0', 'on', 'off'] as const,
      fallback ? 'true' : 'false',
    );
    return value === 'true' || value === '1' || value === 'on';
  }

  choice<const T extends string>(name: string, choices: readonly T[], fallback: T): T {
    const parse = (text: string): T => {
      const found = choices.find((each) => each === text.toLowerCase());
      if (found === undefined) throw new Error(`must be one of ${choices.join(', ')}`);
      return found;
    };
    return this.optional(name, parse) ?? fallback;
  }

  list<T>(name: string, fallback: T[], parse: (text: string) => T): T[] {
    const all = (text: string): T[] =>
      text
        .split(',')
        .map((each) => each.trim())
        .filter((each) => each !== '')
        .map(parse);
    return this.optional(name, all) ?? fallback;
  }

  /** A size in bytes: `1048576`, `16MiB`, `5GB`. */
  bytes(name: string, fallback: number): number {
    const parse = (text: string): number => {
      const match = /^(\d{1,15}) ?([a-z]*)$/i.exec(text);
      const unit = SIZE_UNITS[match?.[2]?.toUpperCase() ?? '?'];
      if (!match || unit === undefined) throw new Error('must be a size such as 1048576, 16MiB or 5GB');
      return Number(match[1]) * unit;
    };
    return this.optional(name, parse) ?? fallback;
  }

  /** A time in milliseconds: `90s`, `12h`, `30d`; the unit must be said. */
  duration(name: string, fallback: number): number {
    const parse = (text: string): number => {
      const match = /^(\d{1,9}) ?(ms|s|m|h|d)$/.exec(text);
      const unit = TIME_UNITS[match?.[2] ?? '?'];
      if (!match || unit === undefined)
        throw new Error('must be a time with its unit, such as 90s, 12h or 30d');
      return Number(match[1]) * unit;
    };
    return this.optional(name, parse) ?? fallback;
  }

  /** From `NAME` or from the file that `NAME_FILE` names, without the line's end; both is a problem. */
  secret<T>(name: string, parse: (text: string) => T): T | null {
    const file = this.#value(`${name}_FILE`);
    this.#known.add(name);
    if (file === null) return this.optional(name, parse);
    if (this.#value(name) !== null) {
      this.problem(name, `and ${name}_FILE are both set: keep one`);
      return null;
    }
    let text: string;
    try {
      text = readFileSync(file, 'utf8').trim();
    } catch (error) {
      this.problem(`${name}_FILE`, `cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'error'}`);
      return null;
    }
    if (text === '') {
      this.problem(`${name}_FILE`, 'names an empty file');
      return null;
    }
    return this.#parsed(`${name}_FILE`, text, parse);
  }

  #parsed<T>(name: string, text: string, parse: (text: string) => T): T | null {
    try {
      return parse(text);
    } catch (error) {
      this.problem(name, (error as Error).message);
      return null;
    }
  }
}
