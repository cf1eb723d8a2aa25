/** The data folder and the secrets in it: made once, at the first start, and found again afterwards. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type Config, ConfigError, encryptionKey, masterToken, type Settings } from './config.ts';
import { DATABASE_FILE } from './storage/database.ts';

export const ENCRYPTION_KEY_FILE = 'encryption.key';
export const MASTER_TOKEN_FILE = 'master.token';

export interface Prepared {
  config: Config;
  /** Files that were made now: said to the operator, who should back them up. */
  created: string[];
}

/**
 * Completes the settings with the secrets of the data folder, making what is missing (mode 0600).
 * Throws ConfigError when a file there is unusable, and when the database is there but its key is
 * gone: a new key could not read anything.
 */
export async function prepareDataFolder(settings: Settings): Promise<Prepared> {
  await mkdir(settings.dataDir, { recursive: true, mode: 0o700 });
  const created: string[] = [];
  const keyFile = join(settings.dataDir, ENCRYPTION_KEY_FILE);
  if (!settings.encryptionKey && !existsSync(keyFile) && existsSync(join(settings.dataDir, DATABASE_FILE))) {
    throw new ConfigError([
      `${keyFile} is missing, but the database beside it was encrypted with it: restore the file or set WUTS_ENCRYPTION_KEY`,
    ]);
  }
  const key = settings.encryptionKey ?? parsed(keyFile, await findOrMake(keyFile, created), encryptionKey);
  const tokenFile = join(settings.dataDir, MASTER_TOKEN_FILE);
  const token = settings.masterToken ?? parsed(tokenFile, await findOrMake(tokenFile, created), masterToken);
  return { config: { ...settings, encryptionKey: key, masterToken: token }, created };
}

/**
 * The settings with the secrets of a data folder that a gateway has made. Throws ConfigError when there is none:
 * a command with a mistyped folder must not make another installation.
 */
export async function openDataFolder(settings: Settings): Promise<Config> {
  if (!existsSync(join(settings.dataDir, DATABASE_FILE))) {
    throw new ConfigError([
      `${settings.dataDir} holds no data: \`wuts serve\` makes it at its first start, or WUTS_DATA_DIR names another folder`,
    ]);
  }
  return (await prepareDataFolder(settings)).config;
}

/**
 * Puts another key in the place of the data folder's, for the next start. Whatever happens meanwhile, the file
 * holds the one or the other.
 */
export async function replaceKeyFile(dataDir: string, key: Uint8Array): Promise<string> {
  const file = join(dataDir, ENCRYPTION_KEY_FILE);
  const next = `${file}.next`;
  const handle = await open(next, 'w', 0o600);
  try {
    await handle.writeFile(`${Buffer.from(key).toString('hex')}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(next, file);
  const folder = await open(dataDir);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
  return file;
}

/** Two processes may start at once: the one that comes second reads what the first wrote. */
async function findOrMake(file: string, created: string[]): Promise<string> {
  const secret = randomBytes(32).toString('hex');
  const handle = await open(file, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') return null;
    throw error;
  });
  if (!handle) return (await readFile(file, 'utf8')).trim();
  try {
    await handle.writeFile(`${secret}\n`);
    // The first message may be encrypted with it a second later: it must not be lost to a power cut.
    await handle.sync();
  } finally {
    await handle.close();
  }
  created.push(file);
  return secret;
}

function parsed<T>(file: string, text: string, parse: (text: string) => T): T {
  try {
    return parse(text);
  } catch (error) {
    throw new ConfigError([`${file} ${(error as Error).message}`]);
  }
}
