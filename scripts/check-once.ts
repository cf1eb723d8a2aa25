/**
 * Fails when something is done anywhere but in the one place that does it: time, its format, who may see what,
 * and how lines of the log name things; where a type is claimed, or a comment silences a check; and where a file is
 * too long. Each rule says where to go instead.
 */
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const SRC = 'packages/gateway/src';

interface Rule {
  what: string;
  pattern: RegExp;
  /** Files, or folders ending in `/`, that may. */
  only: string[];
  instead: string;
}

const RULES: Rule[] = [
  {
    what: 'the time of day or of the process',
    pattern: /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(|\bhrtime\b/,
    only: ['clock.ts'],
    instead: 'take a Clock, or stopwatch() of clock.ts',
  },
  {
    what: 'a timer',
    pattern: /\bset(?:Timeout|Interval)\(|node:timers/,
    only: ['clock.ts'],
    instead: 'use after() of a Clock, or pause() of clock.ts',
  },
  {
    what: 'a time limit that an answer in the socket does not count for',
    pattern: /\bAbortSignal\.timeout\(/,
    only: ['clock.ts'],
    instead: 'use timeLimit() or afterHearing() of clock.ts',
  },
  {
    what: 'a time as text',
    pattern: /\.toISOString\(/,
    only: ['clock.ts'],
    instead: 'use rfc3339() of clock.ts',
  },
  {
    what: 'a text as time',
    pattern: /\bDate\.parse\(/,
    only: ['clock.ts', 'webhooks/schedule.ts'],
    instead: 'it takes times that do not exist: use parseRfc3339() of clock.ts',
  },
  {
    what: 'a device that is not ready, without saying why',
    pattern: /AppError\('DEVICE_NOT_READY'/,
    only: ['whatsapp/port/not-ready.ts'],
    instead: 'use deviceNotReady() of whatsapp/port/not-ready.ts',
  },
  {
    what: 'listeners of somebody else, who may listen once',
    pattern: /\.(?:listeners|rawListeners)\(/,
    only: ['whatsapp/baileys/connection/taken-listeners.ts'],
    instead: 'use takeListeners() of whatsapp/baileys/connection/taken-listeners.ts',
  },
  {
    what: 'a file in the folder for temporary files of the system',
    pattern: /\bmkdtemp\(|\btmpdir\(/,
    only: ['storage/scratch.ts'],
    instead: 'a killed process leaves it there, with what customers sent: use Scratch of storage/scratch.ts',
  },
  {
    what: 'decoding pictures',
    pattern: /from 'sharp'/,
    only: ['media/prepare/picture-process.ts'],
    instead: 'in this process it takes the pool that also syncs the database: use media/prepare/pictures.ts',
  },
  {
    what: 'the place of a sealed value',
    pattern: /\bas SealedPlace\b/,
    only: ['storage/sealed.ts'],
    instead: 'add the column to SEALED of storage/sealed.ts, so that a new key reaches it',
  },
  {
    what: 'taking an envelope off a message',
    pattern: /\.(?:\w+Message\w*|message)\??\.message\b|\bnormalizeMessageContent\(/,
    only: ['whatsapp/port/envelopes.ts', 'whatsapp/baileys/parse/content-parser.ts'],
    instead: 'WhatsApp adds one every few months: use unwrapped() or levels() of whatsapp/port/envelopes.ts',
  },
  {
    what: 'a message on its way to WhatsApp',
    pattern: /\.messages\.send\(/,
    only: ['sending/delivery.ts'],
    instead:
      'use deliver() of sending/delivery.ts: it adds what every message carries, its secret and its timer',
  },
  {
    what: 'a number made into the JID of a person',
    pattern: /\}@s\.whatsapp\.net`/,
    only: ['identity/', 'sending/recipients.ts', 'whatsapp/'],
    instead:
      'a person goes by several spellings: use personJid() or namesOf() of sending/recipients.ts, then people()',
  },
  {
    what: 'asking whether a name is a LID',
    pattern: /endsWith\('@lid'\)/,
    only: ['identity/', 'whatsapp/', 'moving/'],
    instead:
      'use storedIdentity(), isLid() or namesPerson() of identity/jid.ts: two names never stand in the wrong place then',
  },
  {
    what: 'asking whether a name is a group or a channel',
    pattern: /endsWith\('@(?:g\.us|newsletter)'\)/,
    only: ['identity/', 'whatsapp/'],
    instead: 'use isGroupJid() or isNewsletter() of identity/jid.ts',
  },
  {
    what: 'a role',
    pattern: /\bcaller\??\.role\b/,
    // Which roles an operation is for; whether a stream's owner is still who he was.
    only: ['tenancy/', 'api/auth.ts', 'api/routes/events/stream.ts'],
    instead: 'what a caller may see is decided in tenancy/visibility.ts',
  },
  {
    what: 'a key of a log line that is not in snake_case, as device_id is',
    pattern:
      /\.(?:trace|debug|info|warn|error|fatal|child)\(\s*\{(?:[^{}]*,)?\s*[a-z]+[A-Z][A-Za-z]*\s*[:,}]/,
    only: [],
    instead: 'name it like the fields of the API',
  },
  {
    what: 'another word for what something is built from',
    pattern: /\b(?:interface|type) \w*(?:Deps|Dependencies)\b|\b#?deps\b/,
    only: [],
    instead: 'it is …Parts; …Options are plain values of the caller, …Input is what a request says',
  },
];

const SILENCE: Rule = {
  what: 'a comment that silences the compiler, the linter or the coverage',
  pattern: /@ts-(?:ignore|expect-error|nocheck)|biome-ignore|eslint-disable|(?:c8|v8|istanbul) ignore/,
  only: ['scripts/check-once.ts'],
  instead: 'mend what it would hide',
};

/** What makes a test depend on how fast the machine is or on what random bytes hold; and what tests begin with. */
const TEST_RULES: Rule[] = [
  {
    what: 'a wait of its own length',
    pattern: /\bvi\.(?:waitFor|waitUntil|setConfig)\(|\b(?:test|hook)Timeout\b|^ {0,2}\}, [\d_]+\);$/m,
    only: [],
    instead: 'a slow machine outlasts it: use expect.poll() or until(); vitest.config.ts ends what hangs',
  },
  {
    what: 'random tests whose seed nobody knows',
    pattern: /from 'fast-check'/,
    only: ['sandbox/test/random.ts'],
    instead: 'take fc from sandbox/test/random.ts: what was green is green again',
  },
  {
    what: "the engine on the sandbox's network",
    pattern: /\bcreateBaileysSessionFactory\(\{\s*network: \{ url: sandbox\.url/,
    only: ['gateway/test/whatsapp/linked-session.ts'],
    instead: 'use sessionsOn() of gateway/test/whatsapp/linked-session.ts',
  },
  {
    what: 'the settings of a gateway of its own process on the sandbox',
    pattern: /\bGatewayProcess\.start\(\{[^}]*\bWUTS_NETWORK_URL\b/,
    only: ['gateway/test/end-to-end/gateway-process.ts'],
    instead: 'use GatewayProcess.on()',
  },
  {
    what: 'whether the time is within some seconds of now',
    pattern: /\bMath\.abs\([^;]*Date\.now\(/,
    only: [],
    instead: 'take the time before and after, and expect it between them',
  },
  SILENCE,
];

/** What makes the compiler look away, in everything that is no test. Biome refuses `any` itself. */
const CHECKED_RULES: Rule[] = [
  {
    what: 'a type that is claimed against what the compiler knows',
    pattern: /\bas (?:unknown as|never)\b/,
    only: [
      // Sessions, which the library declares as bytes and hands over as records.
      'packages/gateway/src/whatsapp/baileys/connection/session-migration.ts',
      // The library's WebSocket, which is protected, and a dispatcher that only refuses.
      'packages/gateway/src/whatsapp/baileys/connection/socket.ts',
      // Every member of an object, each by a function of its own type.
      'packages/gateway/src/whatsapp/baileys/clean-session.ts',
      // Arguments that come from another process, for functions that each take another type.
      'bench/processes/calls.ts',
    ],
    instead:
      'narrow it, give the function a wider parameter, or say in scripts/check-once.ts why it cannot be',
  },
  SILENCE,
];
const CHECKED =
  '{packages/*/{src,bin,interop,pages},packages/passkey-extension,bench,demo,docs,scripts}/**/*.{ts,js}';

/** Biome leaves out the comment that a file begins with. */
const LENGTH_RULES: Rule[] = [
  {
    what: 'more than 400 lines, those of comments and blank ones counted',
    pattern: /^(?:[^\n]*\n){401}/,
    only: [],
    instead: 'it answers several questions: give each a file',
  },
];
const WRITTEN =
  '{packages/*/{src,bin,interop,pages,test},packages/passkey-extension,bench,demo,docs,scripts}/**/*.{ts,js,go,py,css,html}';

const problems = [
  ...broken(SRC, '**/*.ts', RULES),
  ...broken('packages', '*/test/**/*.ts', TEST_RULES),
  ...broken('.', CHECKED, CHECKED_RULES),
  ...broken('.', WRITTEN, LENGTH_RULES),
];
for (const problem of problems) console.error(problem);
console.log(
  `once: ${problems.length === 0 ? 'each thing is done in its place' : `${problems.length} elsewhere`}`,
);
process.exit(problems.length === 0 ? 0 : 1);

function broken(folder: string, files: string, rules: Rule[]): string[] {
  const cwd = join(ROOT, folder);
  return globSync(files, { cwd }).flatMap((file) => {
    const text = readFileSync(join(cwd, file), 'utf8');
    return rules
      .filter(({ only }) => !only.some((place) => file === place || file.startsWith(orNever(place))))
      .filter(({ pattern }) => pattern.test(text))
      .map(({ what, instead }) => `${join(folder, file)}: ${what}: ${instead}`);
  });
}

/** A folder as the beginning of paths; a file is the beginning of none. */
function orNever(place: string): string {
  return place.endsWith('/') ? place : `${place}/`;
}
