import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type SendMetrics, sendMetrics } from './send-metrics.ts';

/** What the process tells Prometheus. Its own registry: libraries cannot add to it unasked. */
export interface Metrics extends SendMetrics {
  /** Parts register their own counters here (`registers: [metrics.registry]`). */
  registry: Registry;
  httpRequests: Counter<'method' | 'route' | 'status'>;
  httpSeconds: Histogram<'method' | 'route'>;
  /** Messages that devices received: stored, or known already (a redelivery). History is not counted. */
  inboundMessages: Counter<'outcome'>;
  /** Messages refused unread, because the engine opened them past the decryption tap. */
  unseenCiphertexts: Counter;
  /** What came in and could not be understood: stored_as_unknown, set_aside, passed_over (history). */
  unreadable: Counter<'outcome'>;
  /** Rows that were set aside and went, by age or because there were too many. */
  setAsideDropped: Counter;
  /** Requests for media: ready, unchanged, retry_requested, or the code of the error in lower case. */
  mediaRequests: Counter<'outcome'>;
  /** Messages that are decrypted and not stored yet, and rows that were set aside, asked at each scrape. */
  setJournalCounter(count: () => Promise<{ waiting: number; setAside: number }>): void;
  /** Devices by state and what brought them there, asked at each scrape. */
  setDeviceCounter(count: () => Promise<{ state: string; reason: string; count: number }[]>): void;
  /** Devices under a limit of WhatsApp's, asked at each scrape. */
  setLimitCounter(count: () => Promise<number>): void;
}

/**
 * What Node tells of the process. Measured once, however many gateways the process has had: a timer of 10 ms and an
 * observer of each garbage collection, which nothing ends, and which would keep all that a gateway was made of.
 */
let processMetrics: Registry | undefined;

function registryOfGateway(): Registry {
  if (!processMetrics) {
    processMetrics = new Registry();
    collectDefaultMetrics({ register: processMetrics });
  }
  return Registry.merge([processMetrics]);
}

/** All metrics of a gateway, in a registry of their own. */
export function createMetrics(): Metrics {
  const registry = registryOfGateway();
  const httpRequests = new Counter({
    name: 'wuts_http_requests_total',
    help: 'HTTP requests answered, by route pattern and status',
    labelNames: ['method', 'route', 'status'] as const,
    registers: [registry],
  });
  const httpSeconds = new Histogram({
    name: 'wuts_http_request_duration_seconds',
    help: 'Time from the request line to the end of the answer',
    labelNames: ['method', 'route'] as const,
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers: [registry],
  });
  const inboundMessages = new Counter({
    name: 'wuts_inbound_messages_total',
    help: 'Messages received, by outcome: stored, or known already',
    labelNames: ['outcome'] as const,
    registers: [registry],
  });
  const unseenCiphertexts = new Counter({
    name: 'wuts_unseen_ciphertexts_total',
    help: 'Messages refused because their ciphertext did not come past the decryption tap: 0, unless the library has changed',
    registers: [registry],
  });
  const unreadable = new Counter({
    name: 'wuts_inbound_unreadable_total',
    help: 'What came in and could not be understood, by what became of it',
    labelNames: ['outcome'] as const,
    registers: [registry],
  });
  const setAsideDropped = new Counter({
    name: 'wuts_inbound_set_aside_dropped_total',
    help: 'Rows that were set aside and dropped: see WUTS_SET_ASIDE_RETENTION and WUTS_SET_ASIDE_MAX_BYTES',
    registers: [registry],
  });
  let countJournal = async () => ({ waiting: 0, setAside: 0 });
  new Gauge({
    name: 'wuts_inbound_journal_messages',
    help: 'Messages that are decrypted and not stored yet: near 0, unless storing fails',
    registers: [registry],
    async collect() {
      this.set((await countJournal()).waiting);
    },
  });
  new Gauge({
    name: 'wuts_inbound_set_aside',
    help: 'What came in and could not be stored because of what it is: `wuts journal export` shows it',
    registers: [registry],
    async collect() {
      this.set((await countJournal()).setAside);
    },
  });
  let countDevices: () => Promise<{ state: string; reason: string; count: number }[]> = async () => [];
  new Gauge({
    name: 'wuts_devices',
    help: 'Devices by state, and what brought them into it',
    labelNames: ['state', 'reason'] as const,
    registers: [registry],
    async collect() {
      this.reset();
      for (const { count, ...labels } of await countDevices()) this.set(labels, count);
    },
  });
  let countLimited: () => Promise<number> = async () => 0;
  new Gauge({
    name: 'wuts_devices_limited',
    help: 'Devices whose accounts WhatsApp lets begin no chats for a while',
    registers: [registry],
    async collect() {
      this.set(await countLimited());
    },
  });
  return {
    registry,
    httpRequests,
    httpSeconds,
    inboundMessages,
    unseenCiphertexts,
    unreadable,
    setAsideDropped,
    mediaRequests: new Counter({
      name: 'wuts_media_requests_total',
      help: 'Requests for media of a message, by outcome',
      labelNames: ['outcome'] as const,
      registers: [registry],
    }),
    ...sendMetrics(registry),
    setJournalCounter(count) {
      countJournal = count;
    },
    setDeviceCounter(count) {
      countDevices = count;
    },
    setLimitCounter(count) {
      countLimited = count;
    },
  };
}
