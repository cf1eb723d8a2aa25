/** What the gateway has in its database, read from the file beside it. */
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { DATABASE_FILE } from '../../src/storage/database.ts';

export interface StoredMessageRow {
  device_id: string;
  message_id: string;
  kind: string;
  text: string | null;
  send_state: string;
  delivered_at: number | null;
  read_at: number | null;
}

export interface StoredEventRow {
  id: string;
  device_id: string;
  name: string;
  data: string;
}

export interface OpenWork {
  journal: number;
  deliveries: number;
  jobs: number;
}

const open = (dataDir: string) => new SqliteDatabase(join(dataDir, DATABASE_FILE), { readonly: true });

/** What is not finished yet. The gateway may run meanwhile: readers do not disturb a writer. */
export function countOpenWork(dataDir: string): OpenWork {
  const db = open(dataDir);
  try {
    const count = (query: string): number => (db.prepare(query).pluck().get() as number | undefined) ?? 0;
    return {
      journal: count('select count(*) from inbound_journal'),
      deliveries: count("select count(*) from webhook_deliveries where state = 'pending'"),
      jobs: count('select count(*) from send_jobs where finished_at is null'),
    };
  } finally {
    db.close();
  }
}

export class StoredState {
  readonly #db: SqliteDatabase.Database;

  constructor(dataDir: string) {
    this.#db = open(dataDir);
  }

  messages(): StoredMessageRow[] {
    return this.#rows(
      'select device_id, message_id, kind, text, send_state, delivered_at, read_at from messages',
    ) as StoredMessageRow[];
  }

  /** In the order of recording. */
  events(): StoredEventRow[] {
    return this.#rows('select id, device_id, name, data from events order by seq') as StoredEventRow[];
  }

  failedDeliveries(): number {
    const row = this.#db.prepare("select count(*) from webhook_deliveries where state = 'failed'").pluck();
    return row.get() as number;
  }

  /** What SQLite says about the file itself: `ok`. */
  integrity(): string {
    return String(this.#db.pragma('integrity_check', { simple: true }));
  }

  close(): void {
    this.#db.close();
  }

  #rows(query: string): unknown[] {
    return this.#db.prepare(query).all();
  }
}
