/** Statistics as `ANALYZE` would write them for much data, written by hand: https://sqlite.org/fileformat2.html#stat1tab */

/** Rows of the tables that grow with what is sent and received; the others have a thousand at most. */
export const GROWING: Record<string, number> = {
  messages: 1_000_000,
  message_search_rows: 900_000,
  message_search_queue: 2000,
  media: 300_000,
  media_retry_requests: 20_000,
  receipts: 2_000_000,
  events: 2_000_000,
  webhook_deliveries: 2_000_000,
  webhook_attempts: 2_500_000,
  webhook_lane_names: 300_000,
  signal_keys: 2_000_000,
  inbound_journal: 5000,
  idempotency_keys: 200_000,
  send_jobs: 300_000,
  send_job_files: 100_000,
  send_bulks: 5000,
  blobs: 200_000,
  cached_files: 250_000,
  call_replies: 50_000,
  groups: 50_000,
  chats: 300_000,
  group_members: 2_000_000,
  label_marks: 500_000,
  group_past_members: 500_000,
};

export const FEW: Record<string, number> = {
  encryption_key: 1,
  tenants: 100,
  users: 300,
  devices: 1000,
  device_credentials: 1000,
  webhook_endpoints: 1500,
  group_lists: 1000,
  tenant_proxies: 50,
  device_proxies: 1000,
  call_settings: 1000,
  device_settings: 1000,
  labels: 10_000,
  chat_settings: 1000,
};

/** How many different values a column has; one that is not named has one for each row. */
const VALUES: Record<string, number> = {
  tenant_id: 100,
  user_id: 300,
  device_id: 1000,
  endpoint_id: 1500,
  bulk_id: 5000,
  chat_jid: 30_000,
  chat_lid: 20_000,
  sender_jid: 40_000,
  recipient_jid: 40_000,
  order_key: 30_000,
  account: 1,
  group_jid: 40_000,
  member: 300_000,
  kind: 20,
  type: 8,
  state: 5,
  name: 60,
  is_default: 2,
  blob_sha256: 200_000,
};

/** `stat` of an index: its rows, then how many of them share the first column, the first two, and so on. */
export function statOf(table: string, columns: readonly (string | null)[]): string {
  const rows = GROWING[table] ?? FEW[table] ?? 100;
  let values = 1;
  const shared = columns.map((column) => {
    values *= (column !== null && VALUES[column]) || rows;
    return Math.max(1, Math.round(rows / values));
  });
  return [rows, ...shared].join(' ');
}
