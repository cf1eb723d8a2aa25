/** Fills the database of a stopped gateway with what years leave behind. */
import { randomBytes, randomUUID } from 'node:crypto';
import SqliteDatabase from 'better-sqlite3';

const ROWS_PER_COMMIT = 20_000;
const CHATS = 5000;
const SESSIONS_PER_DEVICE = 400;
const DAY_MS = 86_400_000;

export interface Stored {
  /** Messages of the one device, half of them sent and receipted, each with its event. */
  messages: number;
  /** Further devices of its tenant, each with Signal sessions; none is online. */
  devices: number;
}

type Row = Record<string, unknown>;
type Device = Row & { id: string; tenant_id: string; user_id: string };
type Writer = (index: number) => void;

/** Adds it to the only device that there is, all of it two to four days old: younger than any retention. */
export function fillStore(file: string, { messages, devices }: Stored): void {
  const database = new SqliteDatabase(file);
  try {
    const device = database.prepare('select * from devices').get() as Device;
    inCommits(database, messages, messageWriter(database, device, messages));
    inCommits(database, devices, deviceWriter(database, device));
    const { count } = database.prepare('select count(*) as count from messages').get() as { count: number };
    if (count < messages) throw new Error(`${count} messages are stored instead of ${messages}`);
  } finally {
    database.close();
  }
}

function inCommits(database: SqliteDatabase.Database, count: number, write: Writer): void {
  for (let start = 0; start < count; start += ROWS_PER_COMMIT) {
    database.transaction(() => {
      for (let index = start; index < Math.min(start + ROWS_PER_COMMIT, count); index += 1) write(index);
    })();
  }
}

function insertInto(database: SqliteDatabase.Database, table: string, columns: readonly string[]) {
  const names = columns.map((name) => `@${name}`).join(', ');
  return database.prepare<[Row]>(`insert into ${table} (${columns.join(', ')}) values (${names})`);
}

function messageWriter(database: SqliteDatabase.Database, device: Device, count: number): Writer {
  const owned = { tenant_id: device.tenant_id, device_id: device.id };
  const insert = {
    message: insertInto(database, 'messages', [
      ...['id', 'tenant_id', 'device_id', 'message_id', 'chat_jid', 'chat_lid', 'sender_jid', 'from_me'],
      ...['is_group', 'kind', 'text', 'raw', 'source', 'timestamp', 'send_state', 'created_at'],
    ]),
    receipt: insertInto(database, 'receipts', [
      ...['tenant_id', 'device_id', 'message_id', 'chat_jid', 'recipient_jid', 'kind', 'at'],
    ]),
    event: insertInto(database, 'events', [
      ...['tenant_id', 'device_id', 'id', 'user_id', 'name', 'order_key', 'data', 'quiet', 'created_at'],
    ]),
  };
  const raw = randomBytes(120);
  const data = JSON.stringify({ content: 'x'.repeat(600) });
  const newest = Date.now() - 2 * DAY_MS;
  return (index) => {
    const own = index % 2 === 0;
    const chat = `55118${String(index % CHATS).padStart(8, '0')}`;
    const chat_jid = `${chat}@s.whatsapp.net`;
    const at = Math.round(newest - ((count - index) * 2 * DAY_MS) / count);
    const message_id = `3EB0${((index * 2_654_435_761) >>> 0).toString(16).padStart(8, '0').toUpperCase()}${index}`;
    insert.message.run({
      ...owned,
      id: randomUUID(),
      message_id,
      chat_jid,
      chat_lid: `${chat}@lid`,
      sender_jid: own ? String(device.jid) : chat_jid,
      from_me: own ? 1 : 0,
      is_group: 0,
      kind: 'text',
      text: `message ${index}`,
      raw,
      source: own ? 'api' : 'phone',
      timestamp: at,
      send_state: own ? 'sent' : 'none',
      created_at: at,
    });
    if (own)
      insert.receipt.run({ ...owned, message_id, chat_jid, recipient_jid: chat_jid, kind: 'read', at });
    insert.event.run({
      ...owned,
      id: randomUUID(),
      user_id: device.user_id,
      name: own ? 'message.sent' : 'message.received',
      order_key: chat_jid,
      data,
      quiet: 0,
      created_at: at,
    });
  };
}

function deviceWriter(database: SqliteDatabase.Database, device: Device): Writer {
  const insertDevice = insertInto(database, 'devices', Object.keys(device));
  const insertKey = insertInto(database, 'signal_keys', ['device_id', 'tenant_id', 'type', 'id', 'value']);
  const value = randomBytes(600);
  return (index) => {
    const id = randomUUID();
    // Not wanted online: what is measured is what they have stored.
    const offline = { jid: null, lid: null, phone_number: null, wanted: 0, state: 'logged_out' };
    insertDevice.run({ ...device, ...offline, id, name: `stored ${index}` });
    for (let n = 0; n < SESSIONS_PER_DEVICE; n += 1) {
      const session = `55118${String(n).padStart(8, '0')}.0`;
      insertKey.run({ device_id: id, tenant_id: device.tenant_id, type: 'session', id: session, value });
    }
  };
}
