import { expect, test } from 'vitest';
import { explainAll } from './plans.ts';

async function findings(sql: string): Promise<string[]> {
  const { explained, findings } = await explainAll(new Map([[sql, 'messages/new.ts:1']]));
  expect(explained).toBe(2);
  return findings;
}

test.each([
  ['a table', 'select id from messages where text = ?'],
  ['a tenant', 'select id from receipts where tenant_id = ? and kind = ?'],
  ['a device', 'select id from messages where device_id = ? and send_error = ?'],
  ['a table, in the order of an index', 'select sha256 from blobs order by last_used_at limit ?'],
  ['a state', "update send_jobs set attempts = 1 where finished_at is null and state = 'queued'"],
])('reading %s is found', async (_, sql) => {
  expect((await findings(sql)).length).toBeGreaterThan(0);
});

test('what is a few rows with statistics and a tenant without them is found', async () => {
  const found = await findings('select id from messages where tenant_id = ? and id in (?, ?, ?, ?, ?)');
  expect(found).toHaveLength(1);
  expect(found[0]).toContain('(no statistics)');
});

test.each([
  ["select id from messages where tenant_id || '' = ? and id in (?, ?, ?, ?, ?)"],
  ['select id from messages where tenant_id = ? and message_id = ?'],
  ['select id from devices where tenant_id = ?'],
  ['select max(id) from receipts where device_id = ? and chat_jid = ? and message_id = ?'],
])('%s is not', async (sql) => {
  expect(await findings(sql)).toEqual([]);
});

test('what cannot be explained is refused, and a table of a test is not ours', async () => {
  await expect(explainAll(new Map([['select nothing from messages', 'x']]))).rejects.toThrow('nothing');
  expect(await explainAll(new Map([['select v from t', 'x']]))).toEqual({ explained: 0, findings: [] });
});
