/** The parts of this folder, tied together. */
import type { Kysely } from 'kysely';
import type { Clock } from '../../clock.ts';
import type { EventRecorder } from '../../events/recorder.ts';
import type { Uploads } from '../../media/outgoing/uploads.ts';
import type { DeviceDirectory } from '../../messages/visible.ts';
import type { Log } from '../../observability/log.ts';
import type { WaitingPlaces } from '../../quotas/waiting.ts';
import type { Database } from '../../storage/schema.ts';
import type { Vault } from '../../storage/vault.ts';
import type { Albums } from '../albums.ts';
import type { Sending } from '../pipeline.ts';
import { AlbumSends } from './album-sends.ts';
import { Bulks } from './bulks.ts';
import { JobIntake } from './intake.ts';
import { JobRunner, type JobRunnerParts } from './job-runner.ts';
import { JobStore } from './job-store.ts';
import { KeptFiles } from './kept-files.ts';
import { LongSends } from './long-sends.ts';
import { SendOperations } from './operations.ts';
import { SendJobs } from './send-jobs.ts';

export interface SendsForLater {
  operations: SendOperations;
  jobs: SendJobs;
  bulks: Bulks;
  longSends: LongSends;
  albumSends: AlbumSends;
  runner: JobRunner;
  files: KeptFiles;
  openJobs: JobStore['openCounts'];
}

export function sendsForLater(parts: {
  db: Kysely<Database>;
  vault: Vault;
  clock: Clock;
  log: Log;
  events: EventRecorder;
  devices: DeviceDirectory;
  sending: Sending;
  albums: Albums;
  uploads: Uploads;
  waiting: WaitingPlaces;
  /** Where files wait. */
  folder: string;
  /** Bytes: the largest file. */
  maxBytes: number;
  callerOf: JobRunnerParts['callerOf'];
  settings: { jobAfterMs: number; lateMs: number };
}): SendsForLater {
  const { clock, db, devices, log, settings } = parts;
  const operations = new SendOperations();
  const store = new JobStore(parts);
  const files = new KeptFiles({ ...parts, store });
  const intake = new JobIntake({ store, files, waiting: parts.waiting });
  const wake = () => runner.wake();
  const jobs = new SendJobs({ db, clock, store, files, intake, devices, wake });
  const { lateMs, jobAfterMs: patienceMs } = settings;
  const longSends = new LongSends({ jobs, store, clock, log, patienceMs, lateMs, wake });
  const albumSends = new AlbumSends({ albums: parts.albums, longSends, store, clock, lateMs });
  const runner: JobRunner = new JobRunner({
    ...parts,
    store,
    jobs,
    operations,
    albums: albumSends,
    files,
    lateMs,
  });
  const bulks = new Bulks({ db, devices, jobs, store, files, intake, clock, wake });
  const openJobs = () => store.openCounts();
  return { operations, jobs, bulks, longSends, albumSends, runner, files, openJobs };
}
