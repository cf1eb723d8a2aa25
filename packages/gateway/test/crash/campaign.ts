/** One run: the cast is linked, everybody writes, and the gateway is killed again and again. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { BadRoad } from '../end-to-end/bad-road.ts';
import { ApiTraffic, Caller, type LinkedDevice } from './api-traffic.ts';
import { Chance } from './chance.ts';
import { GatewayChild, MAIN } from './gateway-child.ts';
import { Killer } from './killer.ts';
import { downloadProblem } from './media-check.ts';
import { MovingWebhooks } from './moving-webhooks.ts';
import { NetworkHandle } from './network-handle.ts';
import type { CastMember, NetworkReport } from './network-protocol.ts';
import { LossyDisk } from './power-cut/disk.ts';
import { qrToScan } from './qr-to-scan.ts';
import { countOpenWork, StoredState } from './stored-state.ts';
import { type Evidence, findViolations } from './verdict.ts';
import { WebhookReceiver } from './webhook-receiver.ts';

export interface CampaignOptions {
  seed: number;
  kills: number;
  /** Goes on until so much time is over, however many kills that makes; 0 counts kills alone. */
  minutes: number;
  /** Script and arguments of the gateway; without it the real one. */
  command?: string[];
  /** Kills only in the moment in which a receipt arrives, where the most can be lost. */
  onReceiptsOnly?: boolean;
  /** Keeps the data folder and the log when something is wrong. */
  keep?: boolean;
  /** Each kill is a power cut: what was not synced by then is gone, all or some of it. */
  powerCuts?: boolean;
  /** Messages of the phones, and as many over the API; default 9. */
  perSecond?: number;
  /** How long what is under way may take in the end; default 7 minutes. */
  drainMs?: number;
  /** Settings of the gateway beside those of the run. */
  settings?: Record<string, string>;
  say(line: string): void;
}

export interface CampaignResult {
  violations: string[];
  /** Figures of the summary, in the order in which they are printed. */
  figures: Record<string, number | string>;
  /** The data folder and log, kept because of violations. */
  kept: string | null;
}

const TENANTS: { name: string; cast: CastMember[] }[] = [
  {
    name: 'north',
    cast: [
      { number: '5511900000010', contacts: ['5511900000011', '5511900000012'] },
      { number: '5511900000020', contacts: ['5511900000021', '5511900000022'] },
    ],
  },
  {
    name: 'south',
    cast: [{ number: '5511900000030', contacts: ['5511900000031', '5511900000032'] }],
  },
];
const MASTER_TOKEN = '0d6f2f2c-2d1e-4d36-9a44-9df0cbb8f6a1-crash';
const EVENTS = [
  'message.received',
  'message.sent',
  'message.edited',
  'message.reaction',
  'message.delivered',
  'message.read',
  'message.failed',
  'message.undecryptable',
  'device.connected',
  'job.completed',
];
/** Of the phones, and as many over the API. */
const MESSAGES_PER_SECOND = 9;
const WEBHOOK_MISHAPS = 0.08;
/** Far above a slow answer, so that a busy machine adds no failures of its own. */
const WEBHOOK_TIMEOUT_S = 4;
const WEBHOOK = { enabled_events: EVENTS, retry_attempts: 12, timeout: WEBHOOK_TIMEOUT_S };
/** The fourth attempt of a delivery comes after 5 s, 30 s and 5 minutes, each 20 % more at most. */
const DRAIN_MS = 420_000;

export class Campaign {
  readonly #options: CampaignOptions;
  readonly #chance: Chance;
  readonly #folder: string;
  readonly #network: NetworkHandle;
  readonly #receiver: WebhookReceiver;
  readonly #undo: (() => Promise<unknown>)[];
  readonly #violations: string[] = [];

  private constructor(
    options: CampaignOptions,
    parts: {
      chance: Chance;
      folder: string;
      network: NetworkHandle;
      receiver: WebhookReceiver;
      undo: (() => Promise<unknown>)[];
    },
  ) {
    this.#options = options;
    this.#chance = parts.chance;
    this.#folder = parts.folder;
    this.#network = parts.network;
    this.#receiver = parts.receiver;
    this.#undo = parts.undo;
  }

  static async run(options: CampaignOptions): Promise<CampaignResult> {
    const chance = new Chance(options.seed);
    const folder = await mkdtemp(join(tmpdir(), 'wuts-crash-'));
    const network = new NetworkHandle();
    const undo: (() => Promise<unknown>)[] = [() => network.stop()];
    let result: CampaignResult | null = null;
    try {
      const receiver = await WebhookReceiver.start(chance.fork());
      undo.push(() => receiver.stop());
      const campaign = new Campaign(options, { chance, folder, network, receiver, undo });
      result = await campaign.#run();
      return result;
    } finally {
      for (const each of undo.reverse()) await each();
      if (result?.kept === null) await rm(folder, { recursive: true, force: true });
      else options.say(`kept: ${folder}`);
    }
  }

  async #run(): Promise<CampaignResult> {
    const started = Date.now();
    const { say } = this.#options;
    const cast = TENANTS.flatMap((tenant) => tenant.cast);
    const address = await this.#network.call('open', { cast });
    const road = await BadRoad.build();
    this.#undo.push(() => road.close());
    const dataDir = join(this.#folder, 'data');
    const disk = this.#options.powerCuts ? LossyDisk.create(dataDir, join(this.#folder, 'disk')) : null;
    const gateway = await GatewayChild.create({
      command: this.#options.command ?? [MAIN, 'serve'],
      logFile: join(this.#folder, 'gateway.log'),
      settings: {
        WUTS_DATA_DIR: dataDir,
        WUTS_MASTER_TOKEN: MASTER_TOKEN,
        WUTS_LOG_LEVEL: 'warn',
        WUTS_NETWORK_URL: road.leadTo(address.url),
        WUTS_NETWORK_ROOT_KEY: address.rootKey,
        WUTS_NETWORK_CA_FILE: address.caFile,
        WUTS_ALLOW_NETWORKS: '127.0.0.0/8',
        WUTS_PACE_PER_MINUTE: '0',
        ...this.#options.settings,
        ...disk?.environment,
      },
    });
    this.#undo.push(() => gateway.close());
    gateway.spawn();
    await gateway.ready();
    const devices = await this.#link(gateway.url);
    say(
      `linked ${devices.length} devices of ${TENANTS.length} tenants after ${seconds(Date.now() - started)}`,
    );

    this.#receiver.fail(WEBHOOK_MISHAPS);
    const { seed, perSecond = MESSAGES_PER_SECOND } = this.#options;
    await this.#network.call('startTraffic', { seed, perSecond });
    const api = new ApiTraffic(devices, { chance: this.#chance.fork(), perSecond });
    const hooks = new MovingWebhooks({
      devices,
      receiver: this.#receiver,
      settings: WEBHOOK,
      chance: this.#chance.fork(),
    });
    const killer = new Killer({
      gateway,
      road,
      network: this.#network,
      chance: this.#chance.fork(),
      onReceiptsOnly: this.#options.onReceiptsOnly ?? false,
      disk,
      say,
    });
    await this.#killAgainAndAgain(killer);
    const stopped = api.stop(devices, this.#drainMs);
    await Promise.all([stopped, hooks.stop(), this.#network.call('stopTraffic', null)]);
    this.#receiver.fail(0);

    const drainStarted = Date.now();
    const open = await this.#drained(dataDir);
    say(`everything is still for ${seconds(Date.now() - drainStarted)} after the last message`);
    const report = await this.#network.call('report', null);
    const media = await this.#downloadMedia(devices, report);
    const ending = await gateway.stop();
    if (ending !== '0') this.#violations.push(`the gateway ended with ${ending} when it was asked to stop`);
    // What it stopped with was to stay.
    disk?.cut(this.#chance);
    if (open) this.#violations.push(`after ${this.#drainMs / 1000} s there is still ${describeOpen(open)}`);
    this.#violations.push(...[...api.problems, ...hooks.problems].map((problem) => `API: ${problem}`));
    this.#violations.push(...report.problems.map((problem) => `network: ${problem}`));

    const stored = new StoredState(dataDir);
    const evidence: Evidence = { devices, report, sends: api.sends, taken: this.#receiver.taken, stored };
    this.#violations.push(...findViolations(evidence));
    stored.close();
    return this.#result({ killer, report, api, hooks, media, tookMs: Date.now() - started });
  }

  get #drainMs(): number {
    return this.#options.drainMs ?? DRAIN_MS;
  }

  async #link(url: string): Promise<LinkedDevice[]> {
    const linked: Omit<LinkedDevice, 'group'>[] = [];
    const master = new Caller(url, MASTER_TOKEN);
    for (const { name, cast } of TENANTS) {
      const registration = {
        tenant_name: name,
        email: `admin@${name}.example`,
        password: 'a long passphrase',
      };
      const { token } = await master.must('POST', '/register', 201, registration);
      const caller = new Caller(url, token);
      for (const { number, contacts } of cast) {
        const { device } = await caller.must('POST', '/devices', 201, { name: number });
        const deviceId: string = device.id;
        await caller.must('POST', '/webhook', 200, {
          device_id: deviceId,
          webhook_url: this.#receiver.open(`${number}-0`),
          ...WEBHOOK,
        });
        await this.#network.call('scan', { number, qr: await qrToScan(caller, deviceId) });
        linked.push({ account: number, deviceId, caller, contacts });
      }
    }
    await this.#online();
    const groups = await this.#network.call('groups', null);
    return linked.map((device) => ({ ...device, group: groups[device.account] ?? '' }));
  }

  async #killAgainAndAgain(killer: Killer): Promise<void> {
    const { kills, minutes } = this.#options;
    const until = Date.now() + minutes * 60_000;
    while (minutes > 0 ? Date.now() < until : killer.kills < kills) await killer.killOnce();
    await killer.ready();
  }

  async #online(): Promise<void> {
    const deadline = Date.now() + 240_000;
    for (;;) {
      const states = await this.#network.call('state', null);
      if (states.every(({ online }) => online)) return;
      if (Date.now() > deadline) throw new Error('not every device came online');
      await pause(50);
    }
  }

  /** What is left over when the time is up; null when nothing is. */
  async #drained(dataDir: string): Promise<string[] | null> {
    const deadline = Date.now() + this.#drainMs;
    for (;;) {
      const open = await this.#openWork(dataDir);
      if (open.length === 0) return null;
      if (Date.now() > deadline) return open;
      await pause(250);
    }
  }

  async #openWork(dataDir: string): Promise<string[]> {
    const states = await this.#network.call('state', null);
    const work = countOpenWork(dataDir);
    return [
      ...states.filter(({ online }) => !online).map(({ account }) => `${account} is not online`),
      ...states
        .filter(({ pending }) => pending > 0)
        .map(({ account, pending }) => `${account} has not acknowledged ${pending} stanzas`),
      ...(work.journal > 0 ? [`${work.journal} rows in the journal`] : []),
      ...(work.jobs > 0 ? [`${work.jobs} jobs are not over`] : []),
      ...(work.deliveries > 0 ? [`${work.deliveries} deliveries are pending`] : []),
    ];
  }

  /** Every file that a phone sent, over the API; those whose bytes are not the sent ones are violations. */
  async #downloadMedia(devices: readonly LinkedDevice[], report: NetworkReport): Promise<number> {
    const files = report.sent.filter(({ sha256 }) => sha256 !== null);
    for (const file of files) {
      const device = devices.find(({ account }) => account === file.account);
      const problem = device ? await downloadProblem(device, file) : 'no such device';
      if (problem) this.#violations.push(`media ${file.id} (${file.text}): ${problem}`);
    }
    return files.length;
  }

  #result(made: {
    killer: Killer;
    report: NetworkReport;
    api: ApiTraffic;
    hooks: MovingWebhooks;
    media: number;
    tookMs: number;
  }): CampaignResult {
    const { killer, report, api, hooks, media, tookMs } = made;
    const { taken, mishaps } = this.#receiver;
    const first = new Set(taken.map(({ id }) => id)).size;
    const ready = [...killer.startUps].sort((a, b) => a - b);
    const violations = this.#violations;
    return {
      violations,
      kept: violations.length > 0 && this.#options.keep !== false ? this.#folder : null,
      figures: {
        kills: killer.kills,
        moments: shortList(killer.moments),
        ...(this.#options.powerCuts ? { 'power cuts': shortList(killer.taken) } : {}),
        'messages from phones': report.sent.length,
        'with a receipt': report.sent.filter(({ receipts }) => receipts.length > 0).length,
        media,
        'messages over the API': api.sends.filter(({ messageId }) => messageId !== null).length,
        'of those later or in bulk': shortList(countOf(api.sends.filter(({ jobId }) => jobId !== null))),
        'answered alike long after': api.replayed,
        'webhooks moved': hooks.moves,
        'requests repeated': api.sends.reduce((sum, { requests }) => sum + requests - 1, 0),
        'events delivered': first,
        'delivered again': taken.length - first,
        'receiver mishaps': shortList(mishaps),
        'start-up ms (median, max)': `${ready[Math.floor(ready.length / 2)] ?? 0}, ${ready.at(-1) ?? 0}`,
        violations: violations.length,
        took: seconds(tookMs),
        seed: this.#options.seed,
      },
    };
  }
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

const describeOpen = (open: readonly string[]): string => open.join('; ');

function countOf(sends: readonly { kind: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of sends) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

function shortList(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}
