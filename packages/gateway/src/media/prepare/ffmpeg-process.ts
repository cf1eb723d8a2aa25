/**
 * The process that starts ffmpeg and waits for it. ffmpeg cares for nobody: started by the gateway itself it
 * would go on after the gateway was killed, for as long as its file lasts.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { FfmpegReply, FfmpegTask } from './ffmpeg.ts';
import type { FromHelper } from './process-pool.ts';

let child: ChildProcess | null = null;

process.on('message', ({ program, args, output }: FfmpegTask) => {
  child = spawn(program, args, { stdio: ['ignore', output ? 'pipe' : 'ignore', 'ignore'] });
  child.stdout?.on('data', (chunk: Buffer) => say({ chunk }));
  child.on('error', () => say({ reply: { code: null } }));
  child.on('close', (code) => say({ reply: { code } }));
});

process.on('disconnect', () => {
  // A program that hangs in a decoder does not listen to anything gentler.
  child?.kill('SIGKILL');
  process.exit();
});

function say(message: FromHelper<FfmpegReply>): void {
  process.send?.(message);
}
