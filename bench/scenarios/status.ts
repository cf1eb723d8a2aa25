/** `GET /messages/{id}/status` with few and with many stored messages. */
import { randomUUID } from 'node:crypto';
import SqliteDatabase from 'better-sqlite3';
import { Filled } from '../filled.ts';
import { inLanes } from '../processes/lanes.ts';
import { compete, type Figure, quantile, type Row } from '../rounds.ts';

const FEW = 1000;
const REQUESTS = 600;
const CONCURRENCY = 8;
const ROWS_PER_COMMIT = 50_000;

export async function status(options: { rounds: number; stored: number[] }): Promise<Row[]> {
  const few = await Filled.create(FEW, fill);
  const rows: Row[] = [];
  for (const count of options.stored) {
    const many = await Filled.create(count, fill);
    rows.push(
      await compete({
        scenario: `status of one of ${count}`,
        unit: 'requests/s',
        subject: `WUTS with ${count} messages`,
        against: `WUTS with ${FEW}`,
        rounds: options.rounds,
        measureSubject: () => figure(many),
        measureAgainst: () => figure(few),
      }),
    );
    await many.stop();
  }
  await few.stop();
  return rows;
}

async function figure({ api, count }: Filled): Promise<Figure> {
  const { tookMs, latencies } = await inLanes(REQUESTS, CONCURRENCY, () =>
    api.ok('GET', `/messages/${messageId(Math.floor(Math.random() * count))}/status`),
  );
  return { rate: (REQUESTS * 1000) / tookMs, p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) };
}

function messageId(index: number): string {
  // Spread over the index as WhatsApp's random ids are.
  return `3EB0${((index * 2_654_435_761) >>> 0).toString(16).padStart(8, '0').toUpperCase()}${index}`;
}

async function fill(file: string, deviceId: string, count: number): Promise<void> {
  const database = new SqliteDatabase(file);
  const { tenant_id: tenantId } = database
    .prepare('select tenant_id from devices where id = ?')
    .get(deviceId) as { tenant_id: string };
  const insert = database.prepare(
    `insert into messages (id, tenant_id, device_id, message_id, chat_jid, sender_jid, from_me, is_group, kind,
       text, context, raw, source, timestamp, send_state, created_at)
     values (?, ?, ?, ?, ?, '5511999990001@s.whatsapp.net', 1, 0, 'text', ?, ?, ?, 'api', ?, 'sent', ?)`,
  );
  const raw = new Uint8Array(120);
  const now = Date.now();
  for (let start = 0; start < count; start += ROWS_PER_COMMIT) {
    database.transaction(() => {
      for (let index = start; index < Math.min(start + ROWS_PER_COMMIT, count); index += 1) {
        const chat = `55119998${String(index % 5000).padStart(5, '0')}@s.whatsapp.net`;
        const at = now - index * 1000;
        insert.run(
          randomUUID(),
          tenantId,
          deviceId,
          messageId(index),
          chat,
          `message ${index}`,
          CONTEXT,
          raw,
          at,
          at,
        );
      }
    })();
    await new Promise((resolve) => setImmediate(resolve));
  }
  database.close();
}

const CONTEXT = null;
