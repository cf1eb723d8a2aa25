/**
 * The database as Kysely sees it. Times are integer milliseconds, ids are UUIDs as text, booleans are 0/1
 * integers.
 * Every table that holds tenant data carries `tenant_id`, and every query on it takes one.
 */
import type { Generated } from 'kysely';
import type { DeviceId, MessageId, RecordId, TenantId, UserId } from '../ids.ts';
import type { MediaKind } from '../whatsapp/port/media.ts';
import type { CallRepliesTable, CallSettingsTable } from './tables/call-tables.ts';
import type { ChatSettingsTable, ChatsTable, ChatTimersTable } from './tables/chat-tables.ts';
import type { BlockedContactsTable, ContactListsTable, ContactsTable } from './tables/contact-tables.ts';
import type { DeviceSettingsTable } from './tables/device-settings-table.ts';
import type {
  EventsTable,
  WebhookAttemptsTable,
  WebhookDeliveriesTable,
  WebhookEndpointsTable,
  WebhookLaneNamesTable,
} from './tables/event-tables.ts';
import type {
  GroupListsTable,
  GroupMembersTable,
  GroupPastMembersTable,
  GroupsTable,
} from './tables/group-tables.ts';
import type { SendBulksTable, SendJobFilesTable, SendJobsTable } from './tables/job-tables.ts';
import type {
  DeviceCredentialsTable,
  EncryptionKeyTable,
  InboundJournalTable,
  SignalKeysTable,
} from './tables/key-tables.ts';
import type { LabelMarksTable, LabelsTable } from './tables/label-tables.ts';
import type { DeviceProxiesTable, TenantProxiesTable } from './tables/proxy-tables.ts';
import type { SeenStoriesTable, StoriesTable } from './tables/story-tables.ts';

export type {
  EventsTable,
  WebhookAttemptsTable,
  WebhookDeliveriesTable,
  WebhookEndpointsTable,
  WebhookLaneNamesTable,
} from './tables/event-tables.ts';
export type { SendBulksTable, SendJobFilesTable, SendJobsTable } from './tables/job-tables.ts';

export interface Database {
  encryption_key: EncryptionKeyTable;
  tenants: TenantsTable;
  users: UsersTable;
  devices: DevicesTable;
  device_credentials: DeviceCredentialsTable;
  signal_keys: SignalKeysTable;
  inbound_journal: InboundJournalTable;
  messages: MessagesTable;
  message_search: MessageSearchTable;
  message_search_queue: MessageSearchQueueTable;
  message_search_rows: MessageSearchRowsTable;
  poll_options: PollOptionsTable;
  chat_timers: ChatTimersTable;
  contact_lists: ContactListsTable;
  blocked_contacts: BlockedContactsTable;
  contacts: ContactsTable;
  chats: ChatsTable;
  chat_settings: ChatSettingsTable;
  groups: GroupsTable;
  group_members: GroupMembersTable;
  group_lists: GroupListsTable;
  group_past_members: GroupPastMembersTable;
  media: MediaTable;
  media_retry_requests: MediaRetryRequestsTable;
  blobs: BlobsTable;
  cached_files: CachedFilesTable;
  labels: LabelsTable;
  label_marks: LabelMarksTable;
  receipts: ReceiptsTable;
  idempotency_keys: IdempotencyKeysTable;
  events: EventsTable;
  webhook_endpoints: WebhookEndpointsTable;
  webhook_deliveries: WebhookDeliveriesTable;
  webhook_attempts: WebhookAttemptsTable;
  webhook_lane_names: WebhookLaneNamesTable;
  send_jobs: SendJobsTable;
  send_job_files: SendJobFilesTable;
  send_bulks: SendBulksTable;
  tenant_proxies: TenantProxiesTable;
  device_proxies: DeviceProxiesTable;
  call_settings: CallSettingsTable;
  device_settings: DeviceSettingsTable;
  call_replies: CallRepliesTable;
  stories: StoriesTable;
  seen_stories: SeenStoriesTable;
}

export interface TenantsTable {
  id: TenantId;
  name: string;
  /** When its deletion began; until that is through nobody can use it. */
  deleting_at: number | null;
  created_at: number;
  updated_at: number;
}

export interface UsersTable {
  id: UserId;
  tenant_id: TenantId;
  email: string;
  /** scrypt: `scrypt$N$r$p$salt$hash`, base64. */
  password_hash: string;
  role: 'admin' | 'manager' | 'user';
  /** SHA-256 of the bearer token, hex. The token itself is shown once and never stored. */
  token_hash: string;
  /** First eight characters of the token, to tell tokens apart in lists. */
  token_preview: string;
  active: number;
  /** Pending webhook URL for the user's next devices. */
  webhook_url: string | null;
  /** As of a tenant. */
  deleting_at: number | null;
  created_at: number;
  updated_at: number;
}

export interface DevicesTable {
  id: DeviceId;
  tenant_id: TenantId;
  user_id: UserId;
  name: string;
  /** Phone-number JID without device part, once paired. */
  jid: string | null;
  lid: string | null;
  phone_number: string | null;
  push_name: string | null;
  platform: string | null;
  state: string;
  state_reason: string | null;
  state_at: number;
  /** 1: the supervisor keeps it online (paired and not disconnected by the user). */
  wanted: number;
  last_seen: number | null;
  /** While WhatsApp lets the account begin no chats: since when, until when, and why in WhatsApp's word. */
  limit_since: number | null;
  limit_until: number | null;
  limit_reason: string | null;
  /** While WhatsApp has banned the account for a time: until when, and WhatsApp's number for why. */
  ban_until: number | null;
  ban_code: number | null;
  /** When the deletion of its owner began: from then on it is not there. */
  deleting_at: number | null;
  /** When its owner's pending webhook URL was looked at: at the first connect, and never again. */
  webhook_applied_at: number | null;
  created_at: number;
  updated_at: number;
}

export interface MessagesTable {
  /** Our own row id (UUID); `message_id` is WhatsApp's. */
  id: RecordId;
  tenant_id: TenantId;
  device_id: DeviceId;
  message_id: MessageId;
  /** The account that the device held then; null for what was stored before this was kept. */
  account_jid: string | null;
  /** Canonical chat: the phone-number JID when known, else the LID; the group JID for groups. */
  chat_jid: string;
  chat_lid: string | null;
  /** Canonical sender (phone-number JID when known, else LID). */
  sender_jid: string;
  sender_lid: string | null;
  from_me: number;
  is_group: number;
  kind: string;
  text: string | null;
  push_name: string | null;
  /** JSON of quoted, mentions, flags: for shaping answers, never for keys or bytes. */
  context: string | null;
  /** WhatsApp's id of the message that an edit, revoke, reaction, pin or poll vote speaks of. */
  target_id: MessageId | null;
  /** Encoded waE2E.Message, encrypted at rest: media keys travel inside it. */
  raw: Uint8Array;
  source: 'phone' | 'api' | 'history' | 'shared';
  /** Milliseconds; the server's time for inbound, the ack's time for outbound once acknowledged. */
  timestamp: number;
  /** Outbound only: 'pending' (row written) → 'sent' (acked) | 'failed'. Delivery comes from receipts. */
  send_state: 'none' | 'pending' | 'sent' | 'failed';
  send_error: string | null;
  /** First receipt of each kind, milliseconds. */
  delivered_at: number | null;
  read_at: number | null;
  played_at: number | null;
  edited_at: number | null;
  revoked_at: number | null;
  /** Deleted for us alone: no answer shows it any more. */
  hidden_at: number | null;
  starred_at: number | null;
  /** The number that WhatsApp's server gave to a post in a channel. */
  server_id: number | null;
  created_at: number;
}

/** The full-text index, without a copy of the text: it can be searched and not be read. */
export interface MessageSearchTable {
  rowid: number;
  /** What a search is narrowed to, as words: see its migration. */
  scope: string;
  words: string;
}

/** Messages whose words the index does not have as they are by now. Triggers write it. */
export interface MessageSearchQueueTable {
  id: Generated<number>;
  message_row_id: RecordId;
}

export interface MessageSearchRowsTable {
  /** The row of `message_search`: second of the message × 2^22, plus its place within the second. */
  id: Generated<number>;
  message_row_id: RecordId;
}

export interface PollOptionsTable {
  message_row_id: RecordId;
  tenant_id: TenantId;
  /** Name, secret, options and their hashes, as JSON. Encrypted at rest. */
  content: Uint8Array;
}

export interface MediaTable {
  /** messages.id */
  message_row_id: RecordId;
  tenant_id: TenantId;
  device_id: DeviceId;
  kind: MediaKind;
  mime_type: string;
  file_name: string | null;
  file_length: number | null;
  /** Encrypted at rest. */
  media_key: Uint8Array;
  direct_path: string | null;
  /** Hex. */
  sha256: string | null;
  enc_sha256: string | null;
  /** Hex: the blob this row may be served from. Set only once possession was proved (media/copies.ts). */
  blob_sha256: string | null;
  seconds: number | null;
  width: number | null;
  height: number | null;
  /** 1 when our phone knows the chat, in a group the author, by LID: a re-upload is asked for under that name. */
  lid_addressed: number;
  /** The broadcast list by which it came: our phone knows the message under that. */
  broadcast_list: string | null;
  /** 'gone' once the account's own phone said that it no longer has it. */
  outcome: 'available' | 'gone';
  outcome_at: number | null;
}

export interface MediaRetryRequestsTable {
  id: string;
  tenant_id: TenantId;
  device_id: DeviceId;
  message_row_id: RecordId;
  message_id: MessageId;
  state: 'open' | 'succeeded' | 'not_found' | 'failed' | 'expired';
  /** For 'failed': what the phone answered. */
  result: string | null;
  requested_at: number;
  expires_at: number;
  answered_at: number | null;
}

export interface BlobsTable {
  /** SHA-256 of the plaintext, hex: the address in the blob store. */
  sha256: string;
  size: number;
  created_at: number;
  last_used_at: number;
}

/** The tenants that have a cached file, each charged with all of it. */
export interface CachedFilesTable {
  tenant_id: TenantId;
  sha256: string;
  size: number;
  last_used_at: number;
}

export interface ReceiptsTable {
  id: Generated<number>;
  tenant_id: TenantId;
  device_id: DeviceId;
  message_id: MessageId;
  chat_jid: string;
  recipient_jid: string;
  recipient_lid: string | null;
  kind: 'delivered' | 'read' | 'played';
  at: number;
}

export interface IdempotencyKeysTable {
  tenant_id: TenantId;
  user_id: UserId;
  key: string;
  /** SHA-256 of method, path and body, hex. */
  request_hash: string;
  /** 32 hexadecimal digits: what the request makes is named by it, for as long as the key lives. */
  ticket: string;
  /** JSON: the message id, device and account that a stanza was made under; null while none was. */
  claim: string | null;
  /** Null while the first request is still under way. */
  status: number | null;
  response: string | null;
  created_at: number;
}
