import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../src/config.ts';
import { prepareDataFolder } from '../../src/first-start.ts';

const STRONG_TOKEN = 'Zk3Vx9qLw2Rt7Yp4Nb8Hs6Df1Gj5Mc0A';
const HEX_KEY = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
const SANDBOX = { WUTS_NETWORK_URL: 'ws://127.0.0.1:4000/ws/chat' };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wuts-config-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function problems(env: Record<string, string>): string[] {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

/** Every setting, with another value than it has by itself. */
const ALL = {
  ...SANDBOX,
  WUTS_HOST: '0.0.0.0',
  WUTS_PORT: '0',
  WUTS_STRICT: 'on',
  WUTS_MASTER_TOKEN: STRONG_TOKEN,
  WUTS_ENCRYPTION_KEY: HEX_KEY,
  WUTS_PUBLIC_URL: 'https://wuts.example/',
  WUTS_LOG_LEVEL: 'DEBUG',
  WUTS_LOG_FORMAT: 'pretty',
  WUTS_DATABASE_SYNC: 'normal',
  WUTS_MEDIA_PREFETCH: 'off',
  WUTS_MEDIA_PREFETCH_MAX_BYTES: '1MB',
  WUTS_MEDIA_PREFETCH_KINDS: 'image, voice',
  WUTS_MEDIA_MAX_BYTES: '2GiB',
  WUTS_MEDIA_CACHE_MAX_BYTES: '1048576',
  WUTS_MEDIA_CACHE_MAX_AGE: '12h',
  WUTS_MEDIA_DOWNLOAD_TIMEOUT: '1500ms',
  WUTS_MEDIA_RETRY_EXPIRY: '2d',
  WUTS_MEDIA_URL_TTL: '1h',
  WUTS_FFMPEG_PATH: '/opt/ffmpeg',
  WUTS_FFMPEG_MAX_DURATION: '10m',
  WUTS_QUOTA_DEVICES: '1',
  WUTS_QUOTA_USERS: '2',
  WUTS_QUOTA_WEBHOOK_ENDPOINTS: '3',
  WUTS_QUOTA_WAITING_JOBS: '6',
  WUTS_QUOTA_WAITING_BYTES: '7KiB',
  WUTS_QUOTA_CACHED_BYTES: '8KiB',
  WUTS_QUOTA_REQUESTS_IN_FLIGHT: '4',
  WUTS_QUOTA_REQUESTS_PER_SECOND: '5',
  WUTS_MIN_FREE_DISK: '6KiB',
  WUTS_PICTURE_TIMEOUT: '5s',
  WUTS_PICTURE_CONCURRENCY: '3',
  WUTS_FFMPEG_TIMEOUT: '30s',
  WUTS_FFMPEG_CONCURRENCY: '4',
  WUTS_PACE_PER_MINUTE: '0',
  WUTS_PACE_BURST: '5',
  WUTS_PACE_MAX_WAIT: '1m',
  WUTS_SEND_JOB_AFTER: '5s',
  WUTS_SEND_LATE: '2h',
  WUTS_EVENT_RETENTION: '1d',
  WUTS_SET_ASIDE_RETENTION: '2d',
  WUTS_SET_ASIDE_MAX_BYTES: '1MB',
  WUTS_DELIVERY_RETENTION: '90d',
  WUTS_WEBHOOK_CONCURRENCY: '8',
  WUTS_WEBHOOK_PAUSE_AFTER: '36h',
  WUTS_WEBHOOK_PAUSE_FAILURES: '50',
  WUTS_ALLOW_NETWORKS: '10.0.0.0/8, fd00::/8',
  WUTS_NETWORK_ROOT_KEY: HEX_KEY,
  WUTS_NETWORK_CA_FILE: '/tmp/ca.pem',
};

describe('settings', () => {
  it('have defaults', () => {
    expect(loadConfig({})).toEqual({
      host: '127.0.0.1',
      port: 3000,
      strict: false,
      dataDir: resolve('./data'),
      masterToken: null,
      encryptionKey: null,
      publicUrl: null,
      logLevel: 'info',
      logFormat: 'json',
      databaseSync: 'full',
      media: {
        prefetch: true,
        prefetchMaxBytes: 16 * 1024 ** 2,
        prefetchKinds: ['image', 'video', 'audio', 'voice', 'document', 'sticker', 'sticker_pack'],
        maxBytes: 100 * 1024 ** 2,
        cacheMaxBytes: 5 * 1024 ** 3,
        cacheMaxAgeMs: 30 * 86_400_000,
        downloadTimeoutMs: 60_000,
        retryExpiryMs: 86_400_000,
        urlTtlMs: 0,
      },
      ffmpeg: { path: 'ffmpeg', timeoutMs: 300_000, concurrency: 2, longestMs: 7_200_000 },
      pictures: { timeoutMs: 30_000, concurrency: 2 },
      quotas: {
        devices: 1000,
        users: 1000,
        webhookEndpoints: 5000,
        waitingJobs: 10_000,
        waitingBytes: 1024 ** 3,
        cachedBytes: 5 * 1024 ** 3,
        requestsInFlight: 1000,
        requestsPerSecond: 1000,
        minFreeBytes: 256 * 1024 ** 2,
      },
      sending: {
        jobAfterMs: 20_000,
        lateMs: 3_600_000,
        pace: { perMinute: 120, burst: 120, maxWaitMs: 100_000 },
      },
      retention: { eventMs: 7 * 86_400_000, failedMs: 30 * 86_400_000 },
      journal: { setAsideMs: 30 * 86_400_000, setAsideBytes: 64 * 1024 ** 2 },
      webhooks: { concurrency: 64, pauseAfterMs: 5 * 86_400_000, pauseAfterFailures: 10 },
      allowNetworks: [],
      network: { url: 'wss://web.whatsapp.com/ws/chat', rootKey: null, caFile: null },
      unknownSettings: [],
    });
  });

  it('are all read', () => {
    const settings = loadConfig({ ...ALL, WUTS_DATA_DIR: folder });
    expect(settings).toEqual({
      host: '0.0.0.0',
      port: 0,
      strict: true,
      unknownSettings: [],
      dataDir: folder,
      masterToken: STRONG_TOKEN,
      encryptionKey: new Uint8Array(Buffer.from(HEX_KEY, 'hex')),
      publicUrl: 'https://wuts.example',
      logLevel: 'debug',
      logFormat: 'pretty',
      databaseSync: 'normal',
      media: {
        prefetch: false,
        prefetchMaxBytes: 1_000_000,
        prefetchKinds: ['image', 'voice'],
        maxBytes: 2 * 1024 ** 3,
        cacheMaxBytes: 1_048_576,
        cacheMaxAgeMs: 12 * 3_600_000,
        downloadTimeoutMs: 1500,
        retryExpiryMs: 2 * 86_400_000,
        urlTtlMs: 3_600_000,
      },
      ffmpeg: { path: '/opt/ffmpeg', timeoutMs: 30_000, concurrency: 4, longestMs: 600_000 },
      pictures: { timeoutMs: 5_000, concurrency: 3 },
      quotas: {
        devices: 1,
        users: 2,
        webhookEndpoints: 3,
        waitingJobs: 6,
        waitingBytes: 7168,
        cachedBytes: 8192,
        requestsInFlight: 4,
        requestsPerSecond: 5,
        minFreeBytes: 6144,
      },
      sending: { jobAfterMs: 5000, lateMs: 7_200_000, pace: { perMinute: 0, burst: 5, maxWaitMs: 60_000 } },
      retention: { eventMs: 86_400_000, failedMs: 90 * 86_400_000 },
      journal: { setAsideMs: 2 * 86_400_000, setAsideBytes: 1_000_000 },
      webhooks: { concurrency: 8, pauseAfterMs: 36 * 3_600_000, pauseAfterFailures: 50 },
      allowNetworks: ['10.0.0.0/8', 'fd00::/8'],
      network: {
        url: 'ws://127.0.0.1:4000/ws/chat',
        rootKey: new Uint8Array(Buffer.from(HEX_KEY, 'hex')),
        caFile: '/tmp/ca.pem',
      },
    });
  });

  it('that are empty count as absent', () => {
    expect(loadConfig({ WUTS_PORT: '', WUTS_MASTER_TOKEN: ' ', WUTS_MASTER_TOKEN_FILE: '' })).toEqual(
      loadConfig({}),
    );
  });

  it.each([
    ['WUTS_PORT', '65536'],
    ['WUTS_PORT', '3e3'],
    ['WUTS_PUBLIC_URL', 'wuts.example'],
    ['WUTS_LOG_LEVEL', 'loud'],
    ['WUTS_LOG_FORMAT', 'xml'],
    ['WUTS_DATABASE_SYNC', 'off'],
    ['DATABASE_URL', 'postgres://u:p@db/wuts'],
    ['WUTS_MEDIA_PREFETCH', 'maybe'],
    ['WUTS_MEDIA_PREFETCH_KINDS', 'image,gif'],
    ['WUTS_MEDIA_MAX_BYTES', '-1'],
    ['WUTS_MEDIA_MAX_BYTES', '5 parsecs'],
    ['WUTS_MEDIA_CACHE_MAX_AGE', '30'],
    ['WUTS_ALLOW_NETWORKS', '10.0.0.0'],
    ['WUTS_ALLOW_NETWORKS', '10.0.0.0/33'],
    ['WUTS_ALLOW_NETWORKS', 'example.com/8'],
    ['WUTS_NETWORK_URL', 'http://127.0.0.1'],
    ['WUTS_MASTER_TOKEN', 'short'],
    ['WUTS_MASTER_TOKEN', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'],
    ['WUTS_MASTER_TOKEN', 'with a space, although it is long'],
    ['WUTS_ENCRYPTION_KEY', 'short'],
    ['WUTS_ENCRYPTION_KEY', '0'.repeat(64)],
    ['WUTS_ENCRYPTION_KEY_FILE', '/nonexistent/key'],
  ])('are refused when malformed: %s=%s', (name, value) => {
    const found = problems({ [name]: value });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(new RegExp(`^${name} `));
  });

  it('are refused all at once, without showing a secret', () => {
    const found = problems({ WUTS_PORT: 'x', WUTS_LOG_LEVEL: 'y', WUTS_MASTER_TOKEN: 'hunter2' });
    expect(found).toHaveLength(3);
    expect(found.join()).not.toContain('hunter2');
  });

  it.each(['WUTS_NETWORK_ROOT_KEY', 'WUTS_NETWORK_CA_FILE'])('do not weaken the real network: %s', (name) => {
    const value = { [name]: name.endsWith('KEY') ? HEX_KEY : '/tmp/ca.pem' };
    expect(problems(value)).toHaveLength(1);
    expect(problems({ ...value, WUTS_NETWORK_URL: 'wss://web.whatsapp.com/ws/chat' })).toHaveLength(1);
    expect(problems({ ...value, WUTS_NETWORK_URL: 'wss://WEB.whatsapp.com.:443/other' })).toHaveLength(1);
    expect(problems({ ...value, ...SANDBOX })).toEqual([]);
  });
});

describe('secrets in files', () => {
  it('are read without the end of the line', async () => {
    await writeFile(join(folder, 'token'), `${STRONG_TOKEN}\n`);
    await writeFile(join(folder, 'key'), `${Buffer.from(HEX_KEY, 'hex').toString('base64')}\n`);
    const settings = loadConfig({
      WUTS_MASTER_TOKEN_FILE: join(folder, 'token'),
      WUTS_ENCRYPTION_KEY_FILE: join(folder, 'key'),
    });
    expect(settings.masterToken).toBe(STRONG_TOKEN);
    expect(settings.encryptionKey).toEqual(new Uint8Array(Buffer.from(HEX_KEY, 'hex')));
  });

  it('are refused when empty, weak, or given twice', async () => {
    await writeFile(join(folder, 'empty'), '\n');
    await writeFile(join(folder, 'weak'), 'changeme');
    expect(problems({ WUTS_MASTER_TOKEN_FILE: join(folder, 'empty') })).toHaveLength(1);
    expect(problems({ WUTS_MASTER_TOKEN_FILE: join(folder, 'weak') })).toHaveLength(1);
    const both = { WUTS_MASTER_TOKEN: STRONG_TOKEN, WUTS_MASTER_TOKEN_FILE: join(folder, 'weak') };
    expect(problems(both)).toHaveLength(1);
  });
});

describe('the first start', () => {
  const settings = (more: Record<string, string> = {}) =>
    loadConfig({ WUTS_DATA_DIR: join(folder, 'data'), ...more });

  it('makes folder, key and token, for this user alone, and finds them again', async () => {
    const first = await prepareDataFolder(settings());
    const files = ['encryption.key', 'master.token'].map((name) => join(folder, 'data', name));
    expect(first.created).toEqual(files);
    for (const file of files) expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'data'))).mode & 0o777).toBe(0o700);
    expect(first.config.encryptionKey).toHaveLength(32);
    const second = await prepareDataFolder(settings());
    expect(second.created).toEqual([]);
    expect(second.config).toEqual(first.config);
    const third = await prepareDataFolder(loadConfig({ WUTS_DATA_DIR: join(folder, 'other') }));
    expect(third.config.masterToken).not.toBe(first.config.masterToken);
  });

  it('makes the same secrets when two processes begin at once', async () => {
    const [one, other] = await Promise.all([prepareDataFolder(settings()), prepareDataFolder(settings())]);
    expect(one.config).toEqual(other.config);
  });

  it('makes nothing that was given', async () => {
    const given = { WUTS_MASTER_TOKEN: STRONG_TOKEN, WUTS_ENCRYPTION_KEY: HEX_KEY };
    const { config, created } = await prepareDataFolder(settings(given));
    expect(created).toEqual([]);
    expect(config.masterToken).toBe(STRONG_TOKEN);
    await expect(readFile(join(folder, 'data', 'master.token'))).rejects.toThrow('ENOENT');
  });

  it('does not make a new key for a database that has one', async () => {
    await prepareDataFolder(settings());
    await writeFile(join(folder, 'data', 'wuts.db'), '');
    await rm(join(folder, 'data', 'encryption.key'));
    await expect(prepareDataFolder(settings())).rejects.toThrow(ConfigError);
  });

  it('refuses secret files that were damaged', async () => {
    await prepareDataFolder(settings());
    await writeFile(join(folder, 'data', 'encryption.key'), 'damaged');
    await expect(prepareDataFolder(settings())).rejects.toThrow(/encryption.key/);
  });
});

describe('variables that look like settings', () => {
  const env = { WUTS_PROT: '80', WUTS_LOGLEVEL: 'debug', WUTS_COLOUR: 'red', WUTS_TOKEN: 'x', OTHER: '1' };

  it('are named, with what was probably meant', () => {
    expect(loadConfig(env).unknownSettings).toEqual([
      { name: 'WUTS_COLOUR', meant: null },
      { name: 'WUTS_LOGLEVEL', meant: 'WUTS_LOG_LEVEL' },
      { name: 'WUTS_PROT', meant: 'WUTS_PORT' },
    ]);
  });

  it('are refused when strict', () => {
    expect(problems({ ...env, WUTS_STRICT: 'true' })).toEqual([
      'WUTS_COLOUR is not a setting',
      'WUTS_LOGLEVEL is not a setting: did you mean WUTS_LOG_LEVEL?',
      'WUTS_PROT is not a setting: did you mean WUTS_PORT?',
    ]);
  });

  it('are none of those that single commands read', () => {
    const ofCommands = { WUTS_MASTER_TOKEN_FILE: '', WUTS_URL: 'http://127.0.0.1', WUTS_PASSWORD: 'x' };
    expect(loadConfig(ofCommands).unknownSettings).toEqual([]);
  });
});
