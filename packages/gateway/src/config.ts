/**
 * Every setting, parsed once and strictly. What each one means is said where it is read.
 * Parsing touches nothing; the secrets of a first start are made by `first-start.ts`.
 */
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import type { LogFormat, LogLevel } from './observability/log.ts';
import { ConfigError, SettingsReader, type UnknownSetting } from './settings-reader.ts';
import type { SyncMode } from './storage/database.ts';
import { WHATSAPP_NETWORK_URL } from './whatsapp/port/connection.ts';
import type { MediaKind } from './whatsapp/port/media.ts';

export { ConfigError } from './settings-reader.ts';
export { WHATSAPP_NETWORK_URL };

export interface MediaConfig {
  prefetch: boolean;
  /** Larger files wait until someone asks for them. */
  prefetchMaxBytes: number;
  prefetchKinds: MediaKind[];
  /** Largest file, in plaintext bytes, that is downloaded or uploaded at all. */
  maxBytes: number;
  cacheMaxBytes: number;
  /** Milliseconds since the last use. */
  cacheMaxAgeMs: number;
  /** Milliseconds for one whole download, resumptions included. */
  downloadTimeoutMs: number;
  /** Milliseconds after which an unanswered re-upload request counts as lost and may be sent again. */
  retryExpiryMs: number;
  /** How long an address of a file works without a token, milliseconds; 0: never. */
  urlTtlMs: number;
}

export interface FfmpegConfig {
  /** Program name or path; ffprobe is looked for beside it. */
  path: string;
  /** Milliseconds for one run. */
  timeoutMs: number;
  /** Runs at a time; further ones wait. */
  concurrency: number;
  /** Milliseconds of sound or video that are converted. */
  longestMs: number;
}

export interface PicturesConfig {
  timeoutMs: number;
  concurrency: number;
}

export interface PaceConfig {
  /** Messages per minute of one device; 0 sets no pace. */
  perMinute: number;
  burst: number;
  /** Milliseconds. */
  maxWaitMs: number;
}

export interface SendingConfig {
  /** An audio or video send that takes longer, milliseconds, becomes a job. */
  jobAfterMs: number;
  /** How long after its time a job is still tried, milliseconds. */
  lateMs: number;
  pace: PaceConfig;
}

export interface WebhookConfig {
  /** Requests at a time, all endpoints together. */
  concurrency: number;
  /** An endpoint is paused after failing for so long, milliseconds, … */
  pauseAfterMs: number;
  /** … and at least so often. */
  pauseAfterFailures: number;
}

export interface NetworkConfig {
  url: string;
  /** Public key of the Noise root to trust; null: WhatsApp's own. */
  rootKey: Uint8Array | null;
  /** PEM file with a further CA for the media hosts. */
  caFile: string | null;
}

/** Per tenant. */
export interface QuotaConfig {
  devices: number;
  users: number;
  webhookEndpoints: number;
  waitingJobs: number;
  waitingBytes: number;
  cachedBytes: number;
  requestsInFlight: number;
  requestsPerSecond: number;
  /** Bytes of the disk below which nothing new is accepted, of any tenant. */
  minFreeBytes: number;
}

export interface RetentionConfig {
  /** Milliseconds that an event stays, with what was delivered of it. */
  eventMs: number;
  /** Milliseconds that an event stays whose delivery failed for good, so that it can be delivered again. */
  failedMs: number;
}

export interface JournalConfig {
  /** Milliseconds that what could not be stored is kept, … */
  setAsideMs: number;
  /** … and bytes of it, of one tenant. */
  setAsideBytes: number;
}

export interface Config {
  host: string;
  port: number;
  /** Whether members of requests and settings that nobody knows are refused. */
  strict: boolean;
  dataDir: string;
  masterToken: string;
  /** 32 bytes. */
  encryptionKey: Uint8Array;
  publicUrl: string | null;
  logLevel: LogLevel;
  logFormat: LogFormat;
  databaseSync: SyncMode;
  media: MediaConfig;
  ffmpeg: FfmpegConfig;
  pictures: PicturesConfig;
  sending: SendingConfig;
  retention: RetentionConfig;
  journal: JournalConfig;
  quotas: QuotaConfig;
  webhooks: WebhookConfig;
  /** CIDR ranges that outgoing requests may reach although they are private. */
  allowNetworks: string[];
  network: NetworkConfig;
  /** Variables that look like settings and are none; they are ignored. */
  unknownSettings: UnknownSetting[];
}

/** As the environment says it: secrets that it leaves out are found or made in the data folder. */
export interface Settings extends Omit<Config, 'masterToken' | 'encryptionKey'> {
  masterToken: string | null;
  encryptionKey: Uint8Array | null;
}

const PREFIX = 'WUTS_';
/** Read by single commands of the CLI. */
const OF_COMMANDS = [
  'WUTS_URL',
  'WUTS_TOKEN',
  'WUTS_PASSWORD',
  'WUTS_NEW_ENCRYPTION_KEY',
  'WUTS_NEW_ENCRYPTION_KEY_FILE',
];

const MEDIA_KINDS = ['image', 'video', 'audio', 'voice', 'document', 'sticker', 'sticker_pack'] as const;
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
const MIB = 1024 ** 2;
const HOUR_MS = 3_600_000;

/** Reads the `WUTS_*` settings and `DATABASE_URL`. Throws a ConfigError that names every bad one at once. */
export function loadConfig(env: NodeJS.ProcessEnv): Settings {
  const read = new SettingsReader(env);
  // Many platforms set it for every program: better refused than a database that nobody expects elsewhere.
  read.secret('DATABASE_URL', databaseUrl);
  const media = readMedia(read);
  const strict = read.boolean('WUTS_STRICT', false);
  const settings: Settings = {
    // Where to listen. Loopback by default: a gateway reachable from outside is a decision.
    host: read.text('WUTS_HOST', '127.0.0.1'),
    // 0 takes any free port.
    port: read.integer('WUTS_PORT', 3000, 0, 65_535),
    // Refuses members of requests and settings that nobody knows, which are ignored with a warning otherwise.
    strict,
    // Database, cached media, generated secrets.
    dataDir: resolve(read.text('WUTS_DATA_DIR', './data')),
    masterToken: read.secret('WUTS_MASTER_TOKEN', masterToken),
    encryptionKey: read.secret('WUTS_ENCRYPTION_KEY', encryptionKey),
    // Under which address clients reach this gateway: for links in answers and the OpenAPI document.
    publicUrl: read.optional('WUTS_PUBLIC_URL', (text) => webUrl(text, ['http:', 'https:'])),
    logLevel: read.choice('WUTS_LOG_LEVEL', LOG_LEVELS, 'info'),
    logFormat: read.choice('WUTS_LOG_FORMAT', ['json', 'pretty'] as const, 'json'),
    // What a commit waits for: see `SyncMode`.
    databaseSync: read.choice('WUTS_DATABASE_SYNC', ['full', 'normal'] as const, 'full'),
    media,
    ffmpeg: {
      // Converts sound and video; found on the PATH by default. Without it, what needs no conversion works.
      path: read.text('WUTS_FFMPEG_PATH', 'ffmpeg'),
      // A conversion that takes longer is killed.
      timeoutMs: read.duration('WUTS_FFMPEG_TIMEOUT', 5 * 60_000),
      // Conversions at a time; of several, one is always left to other tenants.
      concurrency: read.integer('WUTS_FFMPEG_CONCURRENCY', 2, 1, 64),
      // Longer sound or video is not converted.
      longestMs: read.duration('WUTS_FFMPEG_MAX_DURATION', 2 * HOUR_MS),
    },
    pictures: {
      // A picture that takes longer to read is refused.
      timeoutMs: read.duration('WUTS_PICTURE_TIMEOUT', 30_000),
      // Pictures at a time, each in a process of its own; of several, one is always left to other tenants.
      concurrency: read.integer('WUTS_PICTURE_CONCURRENCY', 2, 1, 64),
    },
    sending: {
      // An audio or video that takes longer to convert, upload and send answers 202 with a job.
      jobAfterMs: read.duration('WUTS_SEND_JOB_AFTER', 20_000),
      // A scheduled message whose device or gateway is away at its time is sent so much later at most.
      lateMs: read.duration('WUTS_SEND_LATE', HOUR_MS),
      pace: {
        // Messages of one device per minute, in the long run; 0 sets no pace.
        perMinute: read.integer('WUTS_PACE_PER_MINUTE', 120, 0, 100_000),
        // So many may go at once after a pause.
        burst: read.integer('WUTS_PACE_BURST', 120, 1, 100_000),
        // A request whose turn would come later is answered 429.
        maxWaitMs: read.duration('WUTS_PACE_MAX_WAIT', 100_000),
      },
    },
    retention: {
      // How long events can be pulled and replayed.
      eventMs: read.duration('WUTS_EVENT_RETENTION', 7 * 24 * HOUR_MS),
      // How long what could not be delivered stays for another try, with its event; never shorter than that.
      failedMs: read.duration('WUTS_DELIVERY_RETENTION', 30 * 24 * HOUR_MS),
    },
    journal: {
      // What came from WhatsApp and could not be stored waits so long for somebody to export it, …
      setAsideMs: read.duration('WUTS_SET_ASIDE_RETENTION', 30 * 24 * HOUR_MS),
      // … and so much of it, of one tenant; the oldest goes first.
      setAsideBytes: read.bytes('WUTS_SET_ASIDE_MAX_BYTES', 64 * MIB),
    },
    quotas: readQuotas(read, media),
    webhooks: {
      // Requests to receivers at a time; one receiver never takes more than eight of them.
      concurrency: read.integer('WUTS_WEBHOOK_CONCURRENCY', 64, 1, 1000),
      // A receiver without a success for so long is paused and its owner told, …
      pauseAfterMs: read.duration('WUTS_WEBHOOK_PAUSE_AFTER', 5 * 24 * HOUR_MS),
      // … provided that it has failed at least so often.
      pauseAfterFailures: read.integer('WUTS_WEBHOOK_PAUSE_FAILURES', 10, 1, 1_000_000),
    },
    // Comma separated, for example 10.0.0.0/8,192.168.1.0/24.
    allowNetworks: read.list('WUTS_ALLOW_NETWORKS', [], cidr),
    network: readNetwork(read),
    unknownSettings: [],
  };
  settings.unknownSettings = read.unknown(PREFIX, OF_COMMANDS);
  if (strict) for (const { name, meant } of settings.unknownSettings) read.problem(name, notKnown(meant));
  read.finish();
  return settings;
}

/** What is wrong with a setting that is none. */
export function notKnown(meant: string | null): string {
  return meant === null ? 'is not a setting' : `is not a setting: did you mean ${meant}?`;
}

/** For `wuts key rotate` alone. Throws ConfigError when it is missing or no key. */
export function loadNewEncryptionKey(env: NodeJS.ProcessEnv): Uint8Array {
  const read = new SettingsReader(env);
  // Everything that is sealed will be sealed with it.
  const key = read.secret('WUTS_NEW_ENCRYPTION_KEY', encryptionKey);
  read.finish();
  if (key) return key;
  throw new ConfigError([
    'WUTS_NEW_ENCRYPTION_KEY is not set, nor WUTS_NEW_ENCRYPTION_KEY_FILE (openssl rand -hex 32)',
  ]);
}

function readMedia(read: SettingsReader): MediaConfig {
  return {
    // Fetch inbound media on arrival, while WhatsApp certainly has it.
    prefetch: read.boolean('WUTS_MEDIA_PREFETCH', true),
    // Larger files wait until somebody asks for them.
    prefetchMaxBytes: read.bytes('WUTS_MEDIA_PREFETCH_MAX_BYTES', 16 * MIB),
    prefetchKinds: read.list('WUTS_MEDIA_PREFETCH_KINDS', [...MEDIA_KINDS], mediaKind),
    // The largest file that is fetched or sent at all.
    maxBytes: read.bytes('WUTS_MEDIA_MAX_BYTES', 100 * MIB),
    // The cache is trimmed to this size and age, least recently used first.
    cacheMaxBytes: read.bytes('WUTS_MEDIA_CACHE_MAX_BYTES', 5 * 1024 * MIB),
    cacheMaxAgeMs: read.duration('WUTS_MEDIA_CACHE_MAX_AGE', 30 * 24 * HOUR_MS),
    downloadTimeoutMs: read.duration('WUTS_MEDIA_DOWNLOAD_TIMEOUT', 60_000),
    // How long a re-upload request waits for the account's own phone before it may be made again.
    retryExpiryMs: read.duration('WUTS_MEDIA_RETRY_EXPIRY', 24 * HOUR_MS),
    // So long the addresses of files that events and answers tell work without a token; 0s: never.
    urlTtlMs: read.duration('WUTS_MEDIA_URL_TTL', 0),
  };
}

/** What one tenant may have; see docs/security-model.md. */
function readQuotas(read: SettingsReader, { cacheMaxBytes }: MediaConfig): QuotaConfig {
  return {
    devices: read.integer('WUTS_QUOTA_DEVICES', 1000, 1, 1_000_000),
    users: read.integer('WUTS_QUOTA_USERS', 1000, 1, 1_000_000),
    webhookEndpoints: read.integer('WUTS_QUOTA_WEBHOOK_ENDPOINTS', 5000, 1, 1_000_000),
    // Scheduled, queued and under way; a bulk counts as its messages.
    waitingJobs: read.integer('WUTS_QUOTA_WAITING_JOBS', 10_000, 1, 10_000_000),
    // Their requests and files on the disk; a file that several have counts once.
    waitingBytes: read.bytes('WUTS_QUOTA_WAITING_BYTES', 1024 * MIB),
    // Received and sent files that are kept; default: the whole cache, in which nobody takes another one's share.
    cachedBytes: read.bytes('WUTS_QUOTA_CACHED_BYTES', cacheMaxBytes),
    // Streams and long polls count.
    requestsInFlight: read.integer('WUTS_QUOTA_REQUESTS_IN_FLIGHT', 1000, 1, 1_000_000),
    requestsPerSecond: read.integer('WUTS_QUOTA_REQUESTS_PER_SECOND', 1000, 1, 1_000_000),
    // Below it nothing new is accepted, and what is received is stored; 0 looks at nothing.
    minFreeBytes: read.bytes('WUTS_MIN_FREE_DISK', 256 * MIB),
  };
}

/** Another network than WhatsApp's, for development: the sandbox. */
function readNetwork(read: SettingsReader): NetworkConfig {
  const url =
    read.optional('WUTS_NETWORK_URL', (text) => webUrl(text, ['ws:', 'wss:'])) ?? WHATSAPP_NETWORK_URL;
  const rootKey = read.optional('WUTS_NETWORK_ROOT_KEY', (text) => {
    if (!/^[0-9a-f]{64}$/i.test(text)) throw new Error('must be 32 bytes in hexadecimal');
    return new Uint8Array(Buffer.from(text, 'hex'));
  });
  const caFile = read.optional('WUTS_NETWORK_CA_FILE', (text) => resolve(text));
  // Otherwise somebody who can set these could read everything between us and the real WhatsApp.
  if (new URL(url).hostname.replace(/\.$/, '') === new URL(WHATSAPP_NETWORK_URL).hostname) {
    const reason = 'is only for another network: set WUTS_NETWORK_URL too, or unset it';
    if (rootKey) read.problem('WUTS_NETWORK_ROOT_KEY', reason);
    if (caFile) read.problem('WUTS_NETWORK_CA_FILE', reason);
  }
  return { url, rootKey, caFile };
}

/** Long and varied enough not to be guessed. Throws with what is wrong, never with the token. */
export function masterToken(text: string): string {
  if (text.length < 24) throw new Error('is too short: use at least 24 characters (openssl rand -hex 32)');
  if (text.length > 512 || !/^[\x21-\x7e]+$/.test(text)) {
    throw new Error('must be printable ASCII without spaces, at most 512 characters');
  }
  if (new Set(text).size < 8) throw new Error('is weak: it repeats few characters (openssl rand -hex 32)');
  return text;
}

/** 32 bytes as 64 hexadecimal digits or in base64. */
export function encryptionKey(text: string): Uint8Array {
  const bytes = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : base64Key(text);
  if (new Set(bytes).size < 12) throw new Error('is weak: its bytes are not random (openssl rand -hex 32)');
  return new Uint8Array(bytes);
}

function base64Key(text: string): Buffer {
  if (!/^[\w+/-]{43}=?$/.test(text)) {
    throw new Error('must be 32 random bytes in hexadecimal or base64 (openssl rand -hex 32)');
  }
  return Buffer.from(text, 'base64');
}

function databaseUrl(): never {
  throw new Error('is set, but this version stores everything in a file of the data folder: unset it');
}

function webUrl(text: string, protocols: string[]): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !protocols.includes(url.protocol)) {
    throw new Error(`must be a URL beginning with ${protocols.map((each) => `${each}//`).join(' or ')}`);
  }
  let end = text.length;
  while (text.charAt(end - 1) === '/') end -= 1;
  return text.slice(0, end);
}

function cidr(text: string): string {
  const [address, bits, more] = text.split('/');
  const width = address?.includes(':') ? 128 : 32;
  const valid =
    more === undefined && /^\d{1,3}$/.test(bits ?? '') && Number(bits) <= width && isIP(address ?? '') !== 0;
  if (!valid) throw new Error(`"${text}" is not a network such as 10.0.0.0/8`);
  return text;
}

function mediaKind(text: string): MediaKind {
  const kind = MEDIA_KINDS.find((each) => each === text);
  if (!kind) throw new Error(`"${text}" is not one of ${MEDIA_KINDS.join(', ')}`);
  return kind;
}
