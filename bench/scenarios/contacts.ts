/** `POST /contact/check` with 1,000 numbers, and `GET /contacts` with few and with many of them. */
import SqliteDatabase from 'better-sqlite3';
import type { Filled } from '../filled.ts';
import { fewAndMany, PAGE, rateOf, tenantOf } from '../lists.ts';
import { nowMs } from '../processes/calls.ts';
import { compete, type Figure, type Row } from '../rounds.ts';
import { CONTACTS, type World } from '../world.ts';

const CHECKED = 1000;
const FEW = 100;
const MANY = 10_000;
const PAGES = 400;
const LISTS = 10;
const CONCURRENCY = 4;

/** 1,000 numbers, of which eight are on WhatsApp: asked anew by each call, paced by WUTS and not by the bare client. */
export async function numberCheck({ api, bare }: World, options: { rounds: number }): Promise<Row[]> {
  const unknown = Array.from({ length: CHECKED - CONTACTS.length }, (_, index) => `4930${3_000_000 + index}`);
  const numbers = [...unknown, ...CONTACTS];
  const row = await compete({
    scenario: `a check of ${CHECKED} numbers`,
    unit: 'numbers/s',
    subject: 'WUTS, 200 at a time with 0.3 s between',
    against: 'bare Baileys, one question',
    rounds: options.rounds,
    measureSubject: () =>
      checked(async () => {
        const { body } = await api.ok('POST', '/contact/check', { numbers, max_age: 0 });
        return numbers.filter((number) => body.data[number] === true);
      }),
    measureAgainst: () => checked(() => bare.call<string[]>('registered', { numbers })),
  });
  return [row];
}

async function checked(ask: () => Promise<string[]>): Promise<Figure> {
  const begun = nowMs();
  const registered = await ask();
  const tookMs = nowMs() - begun;
  if (registered.sort().join() !== [...CONTACTS].sort().join()) {
    throw new Error(`${registered.length} numbers are said to be on WhatsApp`);
  }
  return { rate: (CHECKED * 1000) / tookMs };
}

export function contactLists({ rounds }: { rounds: number }): Promise<Row[]> {
  return fewAndMany({ things: 'contacts', few: FEW, many: MANY, fill, pages, whole }, rounds);
}

/** A page from anywhere in the list. */
function pages({ api, count }: Filled): Promise<Figure> {
  return rateOf({ times: PAGES, lanes: CONCURRENCY }, async () => {
    const from = Math.floor(Math.random() * (count - PAGE + 1));
    const last = JSON.stringify([sortName(from - 1), jidOf(from - 1)]);
    const after = from === 0 ? '' : `&cursor=${Buffer.from(last).toString('base64url')}`;
    const { body } = await api.ok('GET', `/contacts?limit=${PAGE}${after}`);
    verify(body.contacts, from, PAGE);
  });
}

function whole({ api, count }: Filled): Promise<Figure> {
  return rateOf({ times: LISTS, lanes: 1, each: count }, async () => {
    const { body } = await api.ok('GET', '/contacts');
    verify(body.contacts, 0, count);
    if (body.next_cursor !== null) throw new Error('the whole list has a next page');
  });
}

function verify(listed: { jid: string; full_name: string }[], from: number, count: number): void {
  if (listed.length !== count) throw new Error(`${listed.length} contacts instead of ${count}`);
  for (const [index, { jid, full_name }] of listed.entries()) {
    if (jid !== jidOf(from + index) || full_name !== nameOf(from + index)) {
      throw new Error(`contact ${from + index} is ${jid}, ${full_name}`);
    }
  }
}

/** In the order of the list. */
const nameOf = (index: number): string => `Contact ${String(index).padStart(6, '0')}`;
const sortName = (index: number): string => nameOf(index).toLowerCase();
const jidOf = (index: number): string => `4930${4_000_000 + index}@s.whatsapp.net`;

function fill(file: string, deviceId: string, count: number): void {
  const database = new SqliteDatabase(file);
  const tenantId = tenantOf(database, deviceId);
  const now = Date.now();
  const contact = database.prepare(
    `insert into contacts (tenant_id, device_id, account, jid, lid, saved, full_name, push_name, sort_name, words,
       updated_at)
     values (?, ?, '', ?, ?, 1, ?, 'Somebody', ?, ?, ?)`,
  );
  database.transaction(() => {
    for (let index = 0; index < count; index += 1) {
      const words = `${sortName(index)}\nsomebody\n${4_000_000 + index}`;
      const lid = `${300_000_000_000 + index}@lid`;
      contact.run(tenantId, deviceId, jidOf(index), lid, nameOf(index), sortName(index), words, now);
    }
  })();
  database.close();
}
