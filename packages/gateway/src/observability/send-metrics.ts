/** What Prometheus learns of sends and of the room that is left. */
import { Counter, Gauge, type Registry } from 'prom-client';

export interface StorageSizes {
  database: number;
  wal: number;
  diskFree: number;
}

export interface SendMetrics {
  /** Messages that were to be sent: sent, or the code of the error in lower case. */
  sends: Counter<'outcome'>;
  /** Sends that wait or are under way, by state, asked at each scrape. */
  setJobCounter(count: () => Promise<Record<string, number>>): void;
  /** Bytes, asked at each scrape. */
  setStorageSizes(read: () => Promise<StorageSizes>): void;
}

export function sendMetrics(registry: Registry): SendMetrics {
  const registers = [registry];
  let countJobs: () => Promise<Record<string, number>> = async () => ({});
  let readSizes: () => Promise<StorageSizes> = async () => ({ database: 0, wal: 0, diskFree: 0 });
  const sends = new Counter({
    name: 'wuts_sends_total',
    help: 'Messages that were to be sent, by outcome: sent, or why not; each attempt of a job counts',
    labelNames: ['outcome'] as const,
    registers,
  });
  new Gauge({
    name: 'wuts_send_jobs',
    help: 'Scheduled, long and bulk sends that have not ended, by state',
    labelNames: ['state'] as const,
    registers,
    async collect() {
      for (const [state, count] of Object.entries(await countJobs())) this.set({ state }, count);
    },
  });
  const size = (name: string, help: string, of: keyof StorageSizes) =>
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        this.set((await readSizes())[of]);
      },
    });
  size('wuts_database_bytes', 'Size of the database file', 'database');
  size('wuts_database_wal_bytes', 'Size of the log that the database writes first', 'wal');
  size('wuts_disk_free_bytes', 'What is free on the disk of the data folder', 'diskFree');
  return {
    sends,
    setJobCounter(count) {
      countJobs = count;
    },
    setStorageSizes(read) {
      readSizes = read;
    },
  };
}
