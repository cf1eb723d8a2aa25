/** The state machine of a job: who may make which step. */
import type { SendJobsTable } from '../../storage/schema.ts';

export const JOB_STATES = [
  'scheduled',
  'queued',
  'processing',
  'sent',
  'failed',
  'cancelled',
] as const satisfies SendJobsTable['state'][];

/**
 * `scheduled` until its time, or `queued` until the one before it in its bulk is through; `processing` while
 * it is prepared and sent; then `sent`, `failed` or `cancelled` for good.
 */
export type JobState = (typeof JOB_STATES)[number];

/** What moves a job: the worker, the next start, the end of another one of its bulk, its owner. */
export type JobEvent = 'take' | 'postpone' | 'recover' | 'sent' | 'failed' | 'abandon' | 'cancel';

export interface JobStep {
  readonly from: readonly JobState[];
  readonly to: JobState;
}

/**
 * | event    | from              | to         | made by                                                     |
 * |----------|-------------------|------------|-------------------------------------------------------------|
 * | take     | scheduled, queued | processing | the worker, when it is due                                  |
 * | postpone | processing        | scheduled  | the worker: what hinders it passes                          |
 * | recover  | processing        | scheduled  | a start: the process that had it is gone                    |
 * | sent     | processing        | sent       | the worker                                                  |
 * | failed   | processing        | failed     | the worker                                                  |
 * | abandon  | scheduled, queued | failed     | the end of another one of its bulk that holds for all of it |
 * | cancel   | scheduled, queued | cancelled  | who may see it                                              |
 *
 * A job that ended moves no more: a step that is not in the table is refused.
 */
const STEPS: Readonly<Record<JobEvent, JobStep>> = {
  take: { from: ['scheduled', 'queued'], to: 'processing' },
  postpone: { from: ['processing'], to: 'scheduled' },
  recover: { from: ['processing'], to: 'scheduled' },
  sent: { from: ['processing'], to: 'sent' },
  failed: { from: ['processing'], to: 'failed' },
  abandon: { from: ['scheduled', 'queued'], to: 'failed' },
  cancel: { from: ['scheduled', 'queued'], to: 'cancelled' },
};

/** The states an event may find a job in, and the one it leaves it in; the store's statements are made of it. */
export function stepOf(event: JobEvent): JobStep {
  return STEPS[event];
}

/** The next state, or null when the event changes nothing. */
export function transition(state: JobState, event: JobEvent): JobState | null {
  const { from, to } = STEPS[event];
  return from.includes(state) ? to : null;
}

export const OPEN_STATES = ['scheduled', 'queued', 'processing'] as const satisfies JobState[];
