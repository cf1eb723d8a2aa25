/** Statements that read more rows of a growing table than they return, and why that is right. */

export interface Asked {
  sql: string;
  /** File and line in `src` that ask. */
  by: string;
  /** One line of the plan. */
  step: string;
}

export interface Exception {
  reason: string;
  fits(asked: Asked): boolean;
}

/** One part of `src`, and the step of the plan that it may make. */
function at(by: string, step: RegExp, reason: string): Exception {
  return { reason, fits: (asked) => asked.by.startsWith(by) && step.test(asked.step) };
}

/** A walk along an index, ended by the statement's limit. */
function page(by: string, index: RegExp, reason: string): Exception {
  return {
    reason,
    fits: (asked) => asked.by.startsWith(by) && index.test(asked.step) && /\blimit \+\?/i.test(asked.sql),
  };
}

export const EXCEPTIONS: readonly Exception[] = [
  {
    reason: 'an owner that is deleted takes all of its rows along',
    fits: ({ sql, step }) =>
      /^delete from "(?:tenants|users|devices|webhook_endpoints)" where/.test(sql) &&
      /COVERING INDEX \w+ \((?:tenant|user|device|endpoint)_id=\?\)$/.test(step),
  },

  {
    reason: 'the index holds what was set aside alone',
    fits: ({ by, step }) =>
      /^storage\/(?:set-aside-retention|journal)\.ts/.test(by) &&
      /INDEX inbound_journal_set_aside \(set_aside_at>\?\)$/.test(step),
  },
  at('storage/key-rotation.ts', /./, 'a new key: every sealed value once, while nobody is served'),
  at('chats/clearing.ts', /INDEX chats_to_clear/, 'the index holds what is to be hidden alone'),
  page('messages/finding/places.ts', /USING INDEX messages_/, 'a list, in the order of its index'),
  page(
    'stories/inbox-store.ts',
    /COVERING INDEX messages_stories \(device_id=\? AND timestamp>\?\)$/,
    'the index holds stories alone, and those of a day are grouped by contact',
  ),
  page('messages/outbound-recovery.ts', /INDEX messages_unacknowledged/, 'the index holds the pending alone'),
  page('events/event-store.ts', /INDEX events_by_(tenant|device)/, 'the feed, in the order of its index'),
  at(
    'events/event-store.ts',
    /^SEARCH events( USING COVERING INDEX events_by_tenant \(tenant_id=\?\))?$/,
    'max(seq) is the end of the index',
  ),
  at('events/event-store.ts', /USING INTEGER PRIMARY KEY \(rowid>\?\)/, 'what was told since the last look'),
  page('cli/doctor-passkeys.ts', /INDEX events_by_device/, 'the newest few of a device'),
  page('events/retention.ts', /INDEX events_by_age/, 'what is too old, a batch at a time'),
  at(
    'media/cache/cache-shares.ts',
    /^SCAN (blobs|cached_files)( USING (COVERING )?INDEX \w+)?$/,
    'what everybody has of the cache, once in a process',
  ),
  at(
    'media/cache/cache.ts',
    /^SCAN blobs USING COVERING INDEX sqlite_autoindex_blobs_1$/,
    'all of it, when it is emptied',
  ),
  at(
    'storage/sqlite/erasure.ts',
    /^SEARCH \w+ USING (COVERING )?INDEX \w+ \((tenant|device)_id=\?\)/,
    'a batch of a tenant or device that goes: what is read is deleted',
  ),
  at(
    'storage/sqlite/erasure.ts',
    /^SEARCH idempotency_keys USING COVERING INDEX \w+ \(tenant_id=\? AND user_id=\?\)/,
    'the same of a user',
  ),
  page(
    'media/cache/cache.ts',
    /^SCAN blobs USING INDEX blobs_by_use/,
    'the files that were used least, a batch at a time',
  ),
  page(
    'media/cache/cache.ts',
    /INDEX cached_files_by_use \(tenant_id=\?\)/,
    'the files that a tenant used least, a batch at a time',
  ),
  at(
    'media/reupload/retry-requests.ts',
    /media_retry_requests_by_state \(state=\? AND expires_at<\?\)/,
    'returns or changes each of them',
  ),
  at(
    'quotas/waiting.ts',
    /COVERING INDEX send_job_files_by_tenant/,
    'the files that wait of a tenant, which its quota bounds',
  ),
  at('sending/jobs/job-store.ts', /INDEX send_jobs_due/, 'the index holds the open jobs alone'),
  page('sending/jobs/job-store.ts', /INDEX send_jobs_by_age/, 'what is too old, a batch at a time'),
  at('sending/jobs/job-store.ts', /INDEX send_bulks_by_age \(finished_at<\?\)/, 'deletes each of them'),
  at(
    'storage/journal.ts',
    /inbound_journal USING INDEX sqlite_autoindex_inbound_journal_1 \(device_id=\?\)/,
    'all of the device, which is what a crash has left',
  ),
  at(
    'storage/credentials.ts',
    /(signal_keys|inbound_journal) USING INDEX sqlite_autoindex_\w+_1 \(device_id=\?\)/,
    'a device that was logged out loses all of them',
  ),
  at(
    'storage/sqlite/search.ts',
    /message_search_rows USING INTEGER PRIMARY KEY \(rowid>\? AND rowid<\?\)/,
    'one second of messages, of which max() is the end',
  ),
  at(
    'storage/sqlite/search.ts',
    /message_search_queue/,
    'the oldest of the queue, which are taken out of it',
  ),
  page('webhooks/queue.ts', /INDEX webhook_deliveries_due/, 'what is due, a batch at a time'),
  at(
    'webhooks/',
    /INDEX webhook_deliveries_open \(endpoint_id=\? AND order_key>\?\)/,
    'parks, frees or fails all that an endpoint has open',
  ),
  at(
    'webhooks/queue.ts',
    /INDEX webhook_deliveries_due \(next_attempt_at>\? AND next_attempt_at<\?\)$/,
    'changes each of them, when the clock was set back',
  ),
  at(
    'webhooks/expiry.ts',
    /INDEX webhook_deliveries_waiting \(endpoint_id=\?( AND created_at<\?)?\)$/,
    'min(created_at) is the beginning of the index; a person asks how many wait; what waited too long expires',
  ),
  page('webhooks/deliveries.ts', /INDEX webhook_deliveries_by_/, 'the log, in the order of its index'),
  at('webhooks/metrics.ts', /INDEX webhook_deliveries_(due|open)/, 'the index holds the pending alone'),
  at('sending/idempotency.ts', /INDEX idempotency_keys_by_age \(created_at<\?\)/, 'deletes each of them'),
  page(
    'sending/jobs/send-jobs.ts',
    /INDEX send_jobs_by_(tenant|device)/,
    'a list, in the order of its index',
  ),
  at(
    'storage/journal.ts',
    /USING INDEX inbound_journal_by_tenant/,
    'a person exports what was set aside; little else stays in the journal',
  ),
  at('storage/journal.ts', /^SCAN inbound_journal/, 'a metric: the journal holds what is under way'),
];
