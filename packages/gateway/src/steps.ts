/** What runs in a gateway, as one ordered list: started from its beginning, stopped from its end. */
import { inTime } from './clock.ts';
import type { Log } from './observability/log.ts';

export interface Step {
  /** For the log. */
  readonly name: string;
  start?(): unknown;
  /** Also called when `start` was not, or failed. */
  stop?(): unknown;
  /** Milliseconds that `stop` may take; default 500. */
  readonly stopMs?: number;
  /** Called when `stop` has taken longer: it is left behind. */
  late?(): void;
}

/** Steps in an array of their own start one after the other like all, and stop at the same time. */
export type Steps = readonly (Step | readonly Step[])[];

const DEFAULT_STOP_MS = 500;

const limitOf = (step: Step): number => (step.stop ? (step.stopMs ?? DEFAULT_STOP_MS) : 0);
const membersOf = (entry: Step | readonly Step[]): readonly Step[] => [entry].flat();

/** Starts them in order; the first that fails ends it. */
export async function startSteps(steps: Steps): Promise<void> {
  for (const step of steps.flat()) await step.start?.();
}

/** Stops them in reverse. Never rejects: the rest stops whatever became of one. */
export async function stopSteps(steps: Steps, log: Log): Promise<void> {
  for (const entry of [...steps].reverse()) {
    await Promise.all(membersOf(entry).map((step) => stopStep(step, log)));
  }
}

/** Milliseconds that `stopSteps` takes at most. */
export function longestStop(steps: Steps): number {
  return steps
    .map((entry) => Math.max(0, ...membersOf(entry).map(limitOf)))
    .reduce((sum, each) => sum + each, 0);
}

async function stopStep(step: Step, log: Log): Promise<void> {
  if (!step.stop) return;
  try {
    // In a function of its own, so that one that throws at once rejects.
    const stopped = (async () => step.stop?.())();
    if (await inTime(limitOf(step), stopped)) return;
    log.warn({ step: step.name, limit_ms: limitOf(step) }, 'a part did not stop in time and is left behind');
    step.late?.();
  } catch (err) {
    log.error({ err, step: step.name }, 'a part could not be stopped');
  }
}
