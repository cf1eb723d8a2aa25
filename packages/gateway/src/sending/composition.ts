/** New messages: sent now, later, or in bulk. */
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { SendingConfig } from '../config.ts';
import type { EventRecorder } from '../events/recorder.ts';
import type { TenantId } from '../ids.ts';
import type { Uploads } from '../media/outgoing/uploads.ts';
import type { MessageArchive } from '../messages/archive.ts';
import type { Log } from '../observability/log.ts';
import type { WaitingPlaces } from '../quotas/waiting.ts';
import type { Step } from '../steps.ts';
import type { Database } from '../storage/schema.ts';
import type { Vault } from '../storage/vault.ts';
import { Albums } from './albums.ts';
import { Idempotency } from './idempotency.ts';
import type { JobRunnerParts } from './jobs/job-runner.ts';
import { type SendsForLater, sendsForLater } from './jobs/sends-for-later.ts';
import { NumberLookUps } from './number-look-ups.ts';
import type { OutboundMediaSource } from './outbound-media.ts';
import { Pacing } from './pacing.ts';
import { Sending, type SendingDevices, type SendingParts } from './pipeline.ts';
import { Recipients } from './recipients.ts';
import { UnknownEnds } from './unknown-ends.ts';

export interface SendingRoom {
  pipeline: Sending;
  recipients: Recipients;
  lookUps: NumberLookUps;
  idempotency: Idempotency;
  later: SendsForLater;
  jobs: Step;
  /** Ends sends whose end is not known. */
  unknownEnds: Step;
  /** How many sends wait or are under way, by state. */
  openJobs(): Promise<Record<string, number>>;
  /** Deletes a file that jobs kept, unless another one of the tenant still has it. */
  dropFile(tenantId: TenantId, sha256: string): Promise<void>;
}

/** A job waits for the ack of what it sends: closing its device ends that. */
const STOP_JOBS_MS = 4000;

export function composeSending(parts: {
  db: Kysely<Database>;
  vault: Vault;
  clock: Clock;
  log: Log;
  events: EventRecorder;
  devices: SendingDevices;
  archive: MessageArchive;
  media: OutboundMediaSource;
  uploads: Uploads;
  waiting: WaitingPlaces;
  callerOf: JobRunnerParts['callerOf'];
  tenantIds(): Promise<string[]>;
  /** Where files of jobs wait. */
  folder: string;
  /** Bytes: the largest file. */
  maxBytes: number;
  settings: SendingConfig;
  /** Counts what became of each message that was to be sent. */
  outcomes?: SendingParts['outcomes'];
}): SendingRoom {
  const { clock, db, settings } = parts;
  const lookUps = new NumberLookUps({ clock, chats: parts.archive.chats });
  const recipients = new Recipients({ chats: parts.archive.chats, lookUps });
  const pacing = new Pacing({ clock, settings: settings.pace });
  const pipeline = new Sending({ ...parts, recipients, pacing });
  const albums = new Albums(pipeline);
  const later = sendsForLater({ ...parts, sending: pipeline, albums });
  const unknownEnds = new UnknownEnds({ ...parts, recipients, lateMs: settings.lateMs });
  return {
    pipeline,
    recipients,
    lookUps,
    idempotency: new Idempotency({ db, clock }),
    later,
    openJobs: () => later.openJobs(),
    dropFile: (tenantId, sha256) => later.files.drop(tenantId, [sha256]),
    unknownEnds: {
      name: 'sends without a known end',
      start: () => unknownEnds.start(),
      stop: () => unknownEnds.stop(),
      stopMs: STOP_JOBS_MS,
    },
    jobs: {
      name: 'jobs',
      start: () => later.runner.start(),
      stop: () => later.runner.stop(),
      stopMs: STOP_JOBS_MS,
    },
  };
}
