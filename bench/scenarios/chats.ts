/** `GET /chats`, a page of it, with few and with many chats; and all of them at once. */
import { randomBytes, randomUUID } from 'node:crypto';
import SqliteDatabase from 'better-sqlite3';
import type { Filled } from '../filled.ts';
import { fewAndMany, PAGE, rateOf, tenantOf } from '../lists.ts';
import type { Figure, Row } from '../rounds.ts';

const FEW = 50;
const MANY = 5000;
const MESSAGES_PER_CHAT = 20;
const REQUESTS = 300;
const CONCURRENCY = 4;
/** Each has all of the chats in its answer. */
const WHOLE_REQUESTS = 10;

export function chats({ rounds }: { rounds: number }): Promise<Row[]> {
  return fewAndMany({ things: 'chats', few: FEW, many: MANY, fill, pages, whole }, rounds);
}

/** The first page, again and again. */
function pages({ api }: Filled): Promise<Figure> {
  return rateOf({ times: REQUESTS, lanes: CONCURRENCY }, async () => {
    const { body } = await api.ok('GET', `/chats?limit=${PAGE}`);
    if (body.chats.length !== PAGE || body.chats.some((chat: Listed) => !chat.last_message)) {
      throw new Error('a page is not what is stored');
    }
  });
}

function whole({ api, count }: Filled): Promise<Figure> {
  return rateOf({ times: WHOLE_REQUESTS, lanes: 1, each: count }, async () => {
    const { body } = await api.ok('GET', '/chats');
    const unread = body.chats.filter((chat: Listed) => chat.unread_count === 1).length;
    if (body.count !== count || unread !== count) throw new Error('the list is not what is stored');
  });
}

interface Listed {
  unread_count: number;
  last_message: object | null;
}

/** The account of a device that was never linked has no name. */
const ACCOUNT = '';

function fill(file: string, deviceId: string, count: number): void {
  const database = new SqliteDatabase(file);
  const tenantId = tenantOf(database, deviceId);
  const chat = database.prepare(
    `insert into chats (tenant_id, device_id, account, chat, lid, name, last_at, unread_count, listed)
     values (?, ?, ?, ?, ?, ?, ?, 1, 1)`,
  );
  const message = database.prepare(
    `insert into messages (id, tenant_id, device_id, message_id, chat_jid, sender_jid, from_me, is_group, kind,
       text, raw, source, timestamp, send_state, created_at)
     values (?, ?, ?, ?, ?, ?, 0, 0, 'text', ?, ?, 'phone', ?, 'none', ?)`,
  );
  const raw = randomBytes(120);
  const now = Date.now();
  database.transaction(() => {
    for (let index = 0; index < count; index += 1) {
      const jid = `55119${String(10_000_000 + index)}@s.whatsapp.net`;
      const at = now - index * 60_000;
      chat.run(tenantId, deviceId, ACCOUNT, jid, `${100_000_000_000_000 + index}@lid`, `Person ${index}`, at);
      for (let each = 0; each < MESSAGES_PER_CHAT; each += 1) {
        const id = randomUUID();
        const time = at - each * 1000;
        message.run(id, tenantId, deviceId, `3EB0${id}`, jid, jid, `message ${each}`, raw, time, time);
      }
    }
  })();
  database.close();
}
