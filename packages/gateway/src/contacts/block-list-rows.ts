/** The block lists of accounts as they are stored. */
import type { Kysely } from 'kysely';
import { type AccountDevice, holderOf } from '../identity/holder.ts';
import { canonicalJid, storedIdentity } from '../identity/jid.ts';
import { checkedTenant } from '../storage/narrowing.ts';
import { chunks } from '../storage/row-chunks.ts';
import type { Database } from '../storage/schema.ts';
import type { BlockedPeople } from '../whatsapp/port/block-list.ts';
import type { Identity } from '../whatsapp/port/identity.ts';
import type { SessionNotice } from '../whatsapp/port/notices.ts';

type BlockNotice = Extract<SessionNotice, { name: 'privacy.blocklist' }>;

/** The list of the device's account; null while it is not known. */
export async function loadBlockList(
  db: Kysely<Database>,
  device: AccountDevice,
): Promise<(BlockedPeople & { at: number }) | null> {
  const list = await db
    .selectFrom('contact_lists')
    .select(['block_hash', 'blocked_at'])
    .where(checkedTenant(device.tenantId))
    .where('device_id', '=', device.id)
    .where('account', '=', holderOf(device).account)
    .executeTakeFirst();
  if (!list || list.blocked_at === null) return null;
  const rows = await db
    .selectFrom('blocked_contacts')
    .select(['jid', 'lid'])
    .where(checkedTenant(device.tenantId))
    .where('device_id', '=', device.id)
    .where('account', '=', holderOf(device).account)
    .orderBy('jid')
    .execute();
  const people = rows.map(({ jid, lid }) => storedIdentity(jid, lid));
  return { people, hash: list.block_hash, at: list.blocked_at };
}

/** The list as WhatsApp has just told it; `at` in milliseconds. */
export async function replaceBlockList(
  db: Kysely<Database>,
  device: AccountDevice,
  { people, hash }: BlockedPeople,
  at: number,
): Promise<void> {
  await db
    .deleteFrom('blocked_contacts')
    .where(checkedTenant(device.tenantId))
    .where('device_id', '=', device.id)
    .where('account', '=', holderOf(device).account)
    .execute();
  for (const part of chunks(people)) await insert(db, device, part);
  const list = { block_hash: hash, blocked_at: at };
  await db
    .insertInto('contact_lists')
    .values({ ...holderOf(device), ...list, contacts_at: null })
    .onConflict((conflict) => conflict.columns(['device_id', 'account']).doUpdateSet(list))
    .execute();
}

/**
 * What a notice says of the list. One that only says that the list is another now, or that follows another than the
 * stored one, makes the stored list unknown: it is read again when somebody asks.
 */
export async function applyBlockNotice(
  db: Kysely<Database>,
  device: AccountDevice,
  { blocked, unblocked, hash, previousHash, whole }: BlockNotice,
  at: number,
): Promise<void> {
  if (whole) return replaceBlockList(db, device, { people: whole, hash }, at);
  const stored = await loadBlockList(db, device);
  if (!stored) return;
  const changes = blocked.length + unblocked.length;
  const follows = changes > 0 && (previousHash === null || previousHash === stored.hash);
  if (follows) {
    for (const person of [...unblocked, ...blocked]) await remove(db, device, person);
    await insert(db, device, blocked);
  }
  await db
    .updateTable('contact_lists')
    .set({ block_hash: hash, blocked_at: follows ? at : null })
    .where(checkedTenant(device.tenantId))
    .where('device_id', '=', device.id)
    .where('account', '=', holderOf(device).account)
    .execute();
}

async function insert(db: Kysely<Database>, device: AccountDevice, people: Identity[]): Promise<void> {
  if (people.length === 0) return;
  await db
    .insertInto('blocked_contacts')
    .values(people.map((each) => ({ ...holderOf(device), jid: canonicalJid(each) ?? '', lid: each.lid })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Under whichever name they were blocked. */
async function remove(db: Kysely<Database>, device: AccountDevice, { jid, lid }: Identity): Promise<void> {
  await db
    .deleteFrom('blocked_contacts')
    .where(checkedTenant(device.tenantId))
    .where('device_id', '=', device.id)
    .where('account', '=', holderOf(device).account)
    .where((is) => is.or([is('jid', 'in', [jid ?? '', lid ?? '']), is('lid', '=', lid ?? '')]))
    .execute();
}
