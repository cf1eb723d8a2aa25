import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

interface Running {
  pid: number;
  parent: number;
  /** A letter of `ps`: Z is one that has ended and that its parent has not looked at. */
  state: string;
  args: string;
}

/** Ids of the processes below `ancestor`, whatever depth, whose command line contains `text`. */
export async function descendants(ancestor: number, text: string): Promise<number[]> {
  const all = await running();
  const below = new Set([ancestor]);
  for (let size = 0; size !== below.size; ) {
    size = below.size;
    for (const { pid, parent } of all) if (below.has(parent)) below.add(pid);
  }
  below.delete(ancestor);
  return all.filter(({ pid, args }) => below.has(pid) && args.includes(text)).map(({ pid }) => pid);
}

/** True while the process runs (a dead one that its parent has not looked at does not). */
export async function runs(pid: number): Promise<boolean> {
  const found = (await running()).find((each) => each.pid === pid);
  return found !== undefined && found.state !== 'Z';
}

async function running(): Promise<Running[]> {
  if (process.platform === 'linux') return fromProc();
  const { stdout } = await promisify(execFile)('/bin/ps', ['-A', '-o', 'pid=,ppid=,stat=,args='], {
    maxBuffer: 2 ** 24,
  });
  return stdout
    .split('\n')
    .map((line) => /^ *(\d+) +(\d+) +(\S)\S* +(.*)$/.exec(line))
    .map((match) => ({
      pid: Number(match?.[1]),
      parent: Number(match?.[2]),
      state: match?.[3] ?? '',
      args: match?.[4] ?? '',
    }));
}

/** `ps` is not on every Linux. */
async function fromProc(): Promise<Running[]> {
  const ids = (await readdir('/proc')).map(Number).filter((id) => id > 0);
  const found = await Promise.all(
    ids.map(async (pid) => {
      try {
        const [stat, args] = await Promise.all([
          readFile(`/proc/${pid}/stat`, 'utf8'),
          readFile(`/proc/${pid}/cmdline`, 'utf8'),
        ]);
        // The name of the program is in brackets, and may contain some.
        const [state = '', parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return { pid, parent: Number(parent), state, args: args.replaceAll('\0', ' ') };
      } catch {
        // It has ended meanwhile.
        return null;
      }
    }),
  );
  return found.filter((each) => each !== null);
}
