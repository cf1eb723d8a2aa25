/**
 * The process in which sound of strangers is decoded where there is no ffmpeg. The decoders are WebAssembly: one
 * that is led astray has its own memory alone, no file, no network. It runs in a thread, so that this process
 * still hears that it is to end while a decoder hangs.
 */
import { setPriority } from 'node:os';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { FromHelper } from './process-pool.ts';
import type { SoundReply, SoundTask } from './sound-tasks.ts';

// Whoever waits for an answer of the API comes first.
setPriority(10);

process.on('message', (task: SoundTask) => {
  // A thread for each task: its memory, and whatever a file did to a decoder, go with it.
  const thread = new Worker(new URL(`./sound/thread${extname(import.meta.filename)}`, import.meta.url), {
    workerData: task,
  });
  let answered = false;
  const answer = (reply: SoundReply): void => {
    if (answered) return;
    answered = true;
    const message: FromHelper<SoundReply> = { reply };
    process.send?.(message);
  };
  const broke = (): void => answer({ problem: 'it is damaged', unsupported: false });
  thread.once('message', (reply: SoundReply) => {
    answer(reply);
    void thread.terminate();
  });
  thread.once('error', broke);
  thread.once('exit', broke);
});
// The gateway is gone, however it ended, or nobody waits any more.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
