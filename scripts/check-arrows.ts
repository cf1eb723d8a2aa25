/**
 * Fails when an import goes against the architecture (ARCHITECTURE.md, "Arrows").
 * Each room lists the rooms it may import from; a file of a room may always import its own room.
 * Files that import each other in a circle are refused, whatever their rooms. Imports of types count: who
 * needs a type of the other to be understood depends on it, even where nothing is loaded.
 * What is exported is imported by somebody, and says what it is.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { undescribedExports, unusedExports } from './exports.ts';

const ROOT = resolve(import.meta.dirname, '..');

/** What anybody in the gateway may use: no room of its own, no state. */
const SHARED = [
  'clock.ts',
  'errors.ts',
  'ids.ts',
  'config.ts',
  'nearest-name.ts',
  'version.ts',
  'steps.ts',
  'passkey-pages.ts',
  'storage/failure.ts',
];
/** What a session can do and reports; `whatsapp/baileys` is the engine behind it. */
const PORT = 'whatsapp/port';
const DOMAIN = [
  'tenancy',
  'quotas',
  'devices',
  'messages',
  'sending',
  'actions',
  'groups',
  'contacts',
  'labels',
  'business',
  'chats',
  'media',
  'identity',
  'events',
  'webhooks',
  'proxies',
  'calls',
  'profile',
  'newsletters',
  'device-settings',
  'stories',
  'moving',
];

interface Rule {
  /** Rooms (folders or files below the package's src) this room may import. */
  may: string[];
  /** npm packages that only this room may import, and others that say so of themselves. */
  owns?: string[];
}

const GATEWAY: Record<string, Rule> = {
  'clock.ts': { may: [] },
  'errors.ts': { may: [] },
  'ids.ts': { may: [] },
  'nearest-name.ts': { may: [] },
  'passkey-pages.ts': { may: [] },
  'steps.ts': { may: ['observability'] },
  'version.ts': { may: [] },
  'config.ts': { may: [PORT, 'net', 'observability', 'storage', 'settings-reader.ts'] },
  'settings-reader.ts': { may: [] },
  'first-start.ts': { may: ['storage', 'settings-reader.ts'] },
  identity: { may: [PORT] },
  [PORT]: { may: [] },
  'whatsapp/baileys': { may: [PORT], owns: ['baileys'] },
  storage: { may: [PORT, 'storage/sqlite'] },
  'storage/sqlite': { may: [PORT, 'storage'], owns: ['better-sqlite3'] },
  net: { may: [PORT], owns: ['undici', 'socks'] },
  observability: { may: [] },
  quotas: { may: ['storage'] },
  labels: { may: ['actions', 'sending', 'messages', 'events', 'tenancy', 'identity', 'storage', PORT] },
  tenancy: { may: ['storage', 'quotas', 'observability', 'steps.ts'] },
  events: { may: ['storage', 'identity', PORT, 'observability'] },
  webhooks: { may: ['events', 'storage', 'net', 'tenancy', 'quotas', 'devices', 'observability'] },
  devices: { may: ['events', 'tenancy', 'quotas', 'identity', 'storage', PORT, 'observability'] },
  'device-settings': {
    may: ['messages', 'devices', 'tenancy', 'identity', 'storage', PORT, 'observability', 'steps.ts'],
  },
  profile: { may: ['sending', 'media', 'devices', 'tenancy', PORT] },
  calls: {
    may: [
      'sending',
      'devices',
      'events',
      'tenancy',
      'identity',
      'storage',
      PORT,
      'observability',
      'steps.ts',
    ],
  },
  proxies: { may: ['devices', 'net', 'tenancy', 'storage', PORT] },
  media: { may: ['events', 'tenancy', 'quotas', 'storage', 'net', 'identity', PORT, 'observability'] },
  messages: { may: ['events', 'tenancy', 'devices', 'media', 'identity', 'storage', PORT, 'observability'] },
  sending: {
    may: [
      'tenancy',
      'quotas',
      'devices',
      'messages',
      'media',
      'events',
      'identity',
      'storage',
      'net',
      PORT,
      'observability',
    ],
  },
  chats: {
    may: [
      'sending',
      'messages',
      'devices',
      'tenancy',
      'events',
      'identity',
      'storage',
      PORT,
      'observability',
    ],
  },
  groups: {
    may: [
      'sending',
      'messages',
      'media',
      'devices',
      'tenancy',
      'events',
      'identity',
      'storage',
      PORT,
      'observability',
    ],
  },
  contacts: { may: ['sending', 'messages', 'devices', 'events', 'net', 'identity', 'storage', PORT] },
  actions: { may: ['sending', 'messages', 'media', 'devices', 'tenancy', 'identity', PORT] },
  stories: {
    may: ['sending', 'messages', 'devices', 'tenancy', 'identity', 'storage', PORT, 'observability'],
  },
  moving: { may: ['moving/sqlite', 'devices', 'media', 'tenancy', 'identity', 'storage', PORT] },
  // Other programs' files: nothing of ours is in them.
  'moving/sqlite': { may: [], owns: ['better-sqlite3'] },
  business: { may: ['actions', 'contacts', 'sending', 'messages', 'devices', 'tenancy', 'identity', PORT] },
  newsletters: { may: ['sending', 'contacts', 'devices', 'tenancy', 'identity', PORT] },
  api: {
    may: [...DOMAIN, 'observability', PORT],
    owns: ['fastify', '@fastify/swagger', '@fastify/swagger-ui'],
  },
  cli: {
    may: ['gateway.ts', 'first-start.ts', 'storage', 'tenancy', 'quotas', 'observability', 'net', PORT],
  },
  'composition.ts': { may: ['*'] },
  'open-storage.ts': { may: ['config.ts', 'storage', 'observability'] },
  'gateway.ts': { may: ['*'] },
  'main.ts': { may: ['cli', 'gateway.ts', 'storage', 'first-start.ts'] },
};

/** What anybody in the sandbox may use. */
const SANDBOX_SHARED = ['link.ts'];
/** Those who change the network's state and tell devices of it. */
const CHANGERS = ['accounts', 'groups', 'newsletters'];

const SANDBOX: Record<string, Rule> = {
  'link.ts': { may: [] },
  wire: { may: [] },
  state: { may: [] },
  delivery: { may: ['state', 'wire'] },
  groups: { may: ['state', 'delivery', 'wire'] },
  newsletters: { may: ['state', 'delivery', 'wire'] },
  accounts: { may: ['state', 'delivery', 'groups', 'wire'] },
  'services.ts': { may: ['state', 'delivery', ...CHANGERS] },
  routing: { may: ['services.ts', 'state', ...CHANGERS, 'wire'] },
  iq: { may: ['services.ts', 'state', ...CHANGERS, 'wire'] },
  network: { may: ['services.ts', 'state', 'delivery', ...CHANGERS, 'routing', 'iq'] },
  pairing: { may: ['network', 'state', 'accounts', 'wire'], owns: ['@simplewebauthn/server'] },
  endpoint: { may: ['network', 'pairing', 'wire'], owns: ['ws'] },
  cdn: { may: [], owns: ['@peculiar/x509'] },
  phones: { may: ['cdn'], owns: ['sharp'] },
  'faults.ts': { may: ['network', 'state', 'accounts', 'wire'] },
  'data-folder.ts': { may: ['network', 'phones', 'cdn', 'wire'] },
  'sandbox.ts': { may: ['*'] },
  control: { may: ['sandbox.ts', 'faults.ts', 'state', 'phones', 'newsletters'] },
  'cli.ts': { may: ['sandbox.ts', 'control', 'pairing'], owns: ['commander'] },
  'index.ts': { may: ['*'] },
};

/** From the curve to what Baileys imports; each file is a room. */
const SIGNAL: Record<string, Rule> = {
  'errors.ts': { may: [] },
  'address.ts': { may: [] },
  'turns.ts': { may: [] },
  'x25519.ts': { may: ['errors.ts'] },
  'xeddsa.ts': { may: ['errors.ts', 'x25519.ts'], owns: ['@noble/curves'] },
  'crypto.ts': { may: [] },
  'curve.ts': { may: ['errors.ts', 'x25519.ts', 'xeddsa.ts'] },
  'fields.ts': { may: ['errors.ts'] },
  'messages.ts': { may: ['errors.ts', 'fields.ts', 'x25519.ts'] },
  'protobufs.ts': { may: ['messages.ts'] },
  'stored-session.ts': { may: ['errors.ts', 'x25519.ts'] },
  'chain.ts': { may: ['errors.ts', 'crypto.ts', 'stored-session.ts'] },
  'ratchet.ts': {
    may: ['errors.ts', 'crypto.ts', 'x25519.ts', 'messages.ts', 'stored-session.ts', 'chain.ts'],
  },
  'session-record.ts': { may: ['errors.ts', 'stored-session.ts'] },
  'storage.ts': { may: ['session-record.ts'] },
  'agreement.ts': {
    may: [
      'errors.ts',
      'crypto.ts',
      'x25519.ts',
      'xeddsa.ts',
      'messages.ts',
      'stored-session.ts',
      'chain.ts',
      'ratchet.ts',
      'storage.ts',
    ],
  },
  'session-builder.ts': { may: ['*'] },
  'session-cipher.ts': { may: ['*'] },
  'index.ts': { may: ['*'] },
};

const PACKAGES = { gateway: GATEWAY, sandbox: SANDBOX, signal: SIGNAL };
/** Who uses nothing but Node and this. */
const ALL_IT_USES = new Map([[SIGNAL, ['@noble/curves']]]);

const problems = [
  ...Object.entries(PACKAGES).flatMap(([name, rules]) => check(name, rules)),
  ...unusedExports(ROOT),
  ...undescribedExports(ROOT),
];
for (const problem of problems) console.error(problem);
console.log(`arrows: ${problems.length === 0 ? 'all point the right way' : `${problems.length} wrong`}`);
process.exit(problems.length === 0 ? 0 : 1);

function check(name: string, rules: Record<string, Rule>): string[] {
  const src = join(ROOT, 'packages', name, 'src');
  const found: string[] = [];
  const imports = new Map<string, string[]>();
  for (const file of sources(src)) {
    const path = relative(src, file);
    const targets: string[] = [];
    imports.set(path, targets);
    const room = roomOf(path, rules);
    if (!room) found.push(`${name}/src/${path}: this room is not in scripts/check-arrows.ts`);
    const text = readFileSync(file, 'utf8');
    for (const specifier of importsOf(text)) {
      const target = specifier.startsWith('.') ? relative(src, resolve(dirname(file), specifier)) : null;
      if (target) targets.push(target);
      if (!room) continue;
      const wrong = target ? wrongArrow(target, room, rules) : wrongPackage(specifier, room, rules);
      if (wrong) found.push(`${name}/src/${path}: ${wrong}`);
    }
  }
  for (const circle of circles(roomsOf(rules))) {
    found.push(`${name}: the rules let rooms import each other in a circle: ${circle.join(', ')}`);
  }
  for (const circle of circles(imports)) {
    found.push(`${name}/src: ${circle.length} files import each other in a circle: ${circle.join(', ')}`);
  }
  return found;
}

/** Who may import whom, a room inside another counted as that one: what is behind a door is the house's affair. */
function roomsOf(rules: Record<string, Rule>): ReadonlyMap<string, readonly string[]> {
  const house = (room: string): string => room.split('/')[0] ?? room;
  const rooms = new Map<string, string[]>();
  for (const [room, { may }] of Object.entries(rules)) {
    const others = may.map(house).filter((other) => other !== house(room));
    rooms.set(house(room), [...(rooms.get(house(room)) ?? []), ...others]);
  }
  return rooms;
}

/** The sets of files that reach each other by imports (Tarjan's strongly connected components). */
function circles(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>();
  const open: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): number => {
    const index = order.size;
    order.set(file, index);
    open.push(file);
    let low = index;
    for (const target of imports.get(file) ?? []) {
      if (target === file) found.push([file]);
      if (!order.has(target)) low = Math.min(low, visit(target));
      else if (open.includes(target)) low = Math.min(low, order.get(target) ?? low);
    }
    if (low === index) {
      const circle = open.splice(open.indexOf(file));
      if (circle.length > 1) found.push(circle.sort());
    }
    return low;
  };
  for (const file of imports.keys()) if (!order.has(file)) visit(file);
  return found;
}

function wrongArrow(target: string, room: string, rules: Record<string, Rule>): string | null {
  if (target.startsWith('..')) return `imports ${target}, outside of its package's src`;
  if (shared(rules).includes(target)) return null;
  const targetRoom = roomOf(target, rules);
  const may = rules[room]?.may ?? [];
  if (!targetRoom || targetRoom === room || may.includes('*') || may.includes(targetRoom)) return null;
  return `${room} may not import ${targetRoom} (${target})`;
}

function shared(rules: Record<string, Rule>): string[] {
  if (rules === GATEWAY) return SHARED;
  return rules === SANDBOX ? SANDBOX_SHARED : [];
}

function wrongPackage(specifier: string, room: string, rules: Record<string, Rule>): string | null {
  const used = ALL_IT_USES.get(rules);
  if (used && !specifier.startsWith('node:') && !used.some((own) => isWithin(specifier, own))) {
    return `it uses nothing but ${used.join(' and ')}, not ${specifier}`;
  }
  const owners = Object.keys(rules).filter((each) =>
    rules[each]?.owns?.some((own) => isWithin(specifier, own)),
  );
  return owners.length > 0 && !owners.includes(room) && room !== 'composition.ts'
    ? `only ${owners.join(' and ')} may import ${specifier}`
    : null;
}

/** The most specific rule whose folder or file holds the path. */
function roomOf(path: string, rules: Record<string, Rule>): string | undefined {
  return Object.keys(rules)
    .filter((room) => isWithin(path, room))
    .sort((a, b) => b.length - a.length)[0];
}

function isWithin(path: string, room: string): boolean {
  return path === room || path.startsWith(`${room}/`);
}

function importsOf(text: string): string[] {
  const pattern =
    /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?from\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)\s*import\s*['"]([^'"]+)['"]/g;
  return [...text.matchAll(pattern)].flatMap((match) => match[1] ?? match[2] ?? match[3] ?? []);
}

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap((entry) => {
    const path = join(folder, entry);
    if (statSync(path).isDirectory()) return sources(path);
    return path.endsWith('.ts') ? [path] : [];
  });
}
