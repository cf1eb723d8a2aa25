/** `wuts doctor`: what would keep a gateway from starting here, and what is unwise. */
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmdirSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Kysely } from 'kysely';
import { encryptionKey, loadConfig, notKnown, type Settings } from '../config.ts';
import { ENCRYPTION_KEY_FILE, MASTER_TOKEN_FILE } from '../first-start.ts';
import {
  DATABASE_FILE,
  databaseAnswers,
  LOG_FILE,
  openDatabase,
  pendingMigrations,
} from '../storage/database.ts';
import { assertKeyFits, KeyRefused } from '../storage/encryption-key.ts';
import type { Database } from '../storage/schema.ts';
import { Vault } from '../storage/vault.ts';
import { networkFindings } from './doctor-network.ts';
import { waitingForPasskeys } from './doctor-passkeys.ts';
import { type Finding, ok, problem, warning } from './finding.ts';
import { gatewayAt, portProblem } from './port.ts';

const SIGN = { ok: '  ok   ', warning: '  warn ', problem: '  FAIL ' } as const;
/** Below this, downloads and the database compete for the last bytes. */
const LITTLE_SPACE_BYTES = 1024 ** 3;

/** Prints its findings; false when one of them is a problem. Changes nothing. */
export async function doctor(env: NodeJS.ProcessEnv, print: (line: string) => void): Promise<boolean> {
  const findings = [node()];
  const settings = configuration(env, findings);
  if (settings) {
    findings.push(
      ...folder(settings),
      ...(await database(settings)),
      await port(settings),
      ...(await networkFindings(settings)),
      ffmpeg(settings),
    );
  }
  for (const { level, text } of findings) print(`${SIGN[level]}${text}`);
  return findings.every((each) => each.level !== 'problem');
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const enough = major > 22 || (major === 22 && minor >= 18);
  return enough
    ? ok(`Node ${process.versions.node}`)
    : problem(`Node ${process.versions.node}: 22.18 or newer is needed`);
}

function configuration(env: NodeJS.ProcessEnv, findings: Finding[]): Settings | null {
  try {
    const settings = loadConfig(env);
    findings.push(ok('settings are valid'));
    for (const { name, meant } of settings.unknownSettings)
      findings.push(warning(`${name} ${notKnown(meant)}`));
    return settings;
  } catch (error) {
    findings.push(problem((error as Error).message));
    return null;
  }
}

function folder(settings: Settings): Finding[] {
  const { dataDir } = settings;
  const [obstacle] = unwritable(dataDir);
  if (obstacle) return [problem(obstacle)];
  if (!existsSync(dataDir)) return [ok(`data folder ${dataDir} will be made at the first start`)];
  const findings = [privacy(dataDir, 0o077)];
  const secrets: [string, unknown][] = [
    [ENCRYPTION_KEY_FILE, settings.encryptionKey],
    [MASTER_TOKEN_FILE, settings.masterToken],
  ];
  for (const [name, given] of secrets) {
    const file = join(dataDir, name);
    if (existsSync(file)) findings.push(privacy(file, 0o077));
    else if (given === null && existsSync(join(dataDir, DATABASE_FILE)) && name === ENCRYPTION_KEY_FILE) {
      findings.push(problem(`${file} is missing: the database cannot be read without it`));
    }
  }
  const { bavail, bsize } = statfsSync(dataDir);
  const free = bavail * bsize;
  const gib = (free / 1024 ** 3).toFixed(1);
  findings.push(
    free < LITTLE_SPACE_BYTES ? warning(`only ${gib} GiB free at ${dataDir}`) : ok(`${gib} GiB free`),
  );
  return findings;
}

/** What the gateway could not write to: the folder and the files of the database, or where they would be made. */
function unwritable(dataDir: string): string[] {
  let place = dataDir;
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  const files = [DATABASE_FILE, LOG_FILE].map((name) => join(dataDir, name));
  const places = [place, ...files].filter((each) => existsSync(each));
  return places.flatMap((each) => {
    try {
      if (each === place && !statSync(each).isDirectory()) return [`${each} is no folder: set WUTS_DATA_DIR`];
      tryToWrite(each, each === place);
      return [];
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return [`${each} cannot be written by this user (${code}): change its owner, or set WUTS_DATA_DIR`];
    }
  });
}

/** As the gateway would, and leaves nothing behind: what may be written is not what can, on a disk that is read-only. */
function tryToWrite(path: string, isFolder: boolean): void {
  accessSync(path, constants.R_OK | constants.W_OK);
  if (isFolder) rmdirSync(mkdtempSync(join(path, '.wuts-doctor-')));
  else closeSync(openSync(path, 'r+'));
}

async function port(settings: Settings): Promise<Finding> {
  const obstacle = await portProblem(settings);
  if (obstacle === null) return ok(`port ${settings.port} of ${settings.host} is free`);
  const version = await gatewayAt(settings);
  return version === null
    ? problem(obstacle)
    : ok(`port ${settings.port} of ${settings.host}: WUTS ${version} answers there`);
}

function privacy(path: string, forbidden: number): Finding {
  const mode = statSync(path).mode & 0o777;
  const line = `${path} has mode ${mode.toString(8).padStart(4, '0')}`;
  return (mode & forbidden) === 0 ? ok(line) : warning(`${line}: others may read it`);
}

async function database(settings: Settings): Promise<Finding[]> {
  if (!existsSync(join(settings.dataDir, DATABASE_FILE))) {
    return [ok('the database will be made at the first start')];
  }
  try {
    const db = await openDatabase({ dataDir: settings.dataDir });
    try {
      if (!(await databaseAnswers(db))) return [problem('the database does not answer')];
      const pending = await pendingMigrations(db);
      const text =
        pending.length > 0 ? `the next start will migrate it: ${pending.join(', ')}` : 'up to date';
      const key = await keyFinding(db, settings);
      const waiting = pending.length > 0 ? [] : await waitingForPasskeys(db);
      return [ok(`database: ${text}`), ...(key ? [key] : []), ...waiting];
    } finally {
      await db.destroy();
    }
  } catch (error) {
    return [problem(`database: ${(error as Error).message}`)];
  }
}

function ffmpeg({ ffmpeg: { path } }: Settings): Finding {
  const found = spawnSync(path, ['-version'], { stdio: 'ignore' }).status === 0;
  return found
    ? ok(`ffmpeg found (${path})`)
    : warning(
        `ffmpeg not found (${path}, see WUTS_FFMPEG_PATH): video is not converted, and of sound only the common formats`,
      );
}

/** Null where the key is missing, which is said already. */
async function keyFinding(db: Kysely<Database>, settings: Settings): Promise<Finding | null> {
  try {
    const file = join(settings.dataDir, ENCRYPTION_KEY_FILE);
    if (settings.encryptionKey === null && !existsSync(file)) return null;
    const key = settings.encryptionKey ?? encryptionKey(readFileSync(file, 'utf8').trim());
    await assertKeyFits(db, new Vault(key));
    return ok('the encryption key is the one of the database');
  } catch (error) {
    // Of a database that is still to be migrated, nothing can be said.
    if (!(error instanceof KeyRefused) && error instanceof Error && /no such/.test(error.message))
      return null;
    return problem(error instanceof Error ? error.message : String(error));
  }
}
