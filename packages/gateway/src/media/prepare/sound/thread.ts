/** The thread of `sound-process.ts`: does the task that it was started with, and ends. */
import { parentPort, workerData } from 'node:worker_threads';
import type { SoundReply, SoundTask } from '../sound-tasks.ts';
import { SoundProblem } from './libav.ts';
import { work } from './work.ts';

const answer = (reply: SoundReply): void => parentPort?.postMessage(reply);

work(workerData as SoundTask).then(
  (result) => answer({ result }),
  (error: unknown) => {
    const problem = error instanceof SoundProblem ? error.message : 'it is damaged';
    answer({ problem, unsupported: error instanceof SoundProblem && error.unsupported });
  },
);
