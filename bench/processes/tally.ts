/** Counts the messages of a stream as they come, and how long each was under way. */
import { nowMs } from './calls.ts';

export interface Arrivals {
  /** When the last expected message came, milliseconds since the epoch. */
  lastAt: number;
  /** Milliseconds from the sender to here, ascending. */
  latencies: number[];
}

/** Text of the n-th message of a stream. */
export function streamText(stream: string, index: number): string {
  return `${stream} ${index} ${nowMs()}`;
}

const STREAM_TEXT = /^(\S+) (\d+) (\d+(?:\.\d+)?)$/;
const LONGEST_WAIT_MS = 90_000;

export class Tally {
  readonly #streams = new Map<string, { seen: Map<number, number>; lastAt: number }>();
  #changed: () => void = () => undefined;

  /** A message came; what comes twice counts once. */
  add(text: string): void {
    const [, name, index, sentAt] = STREAM_TEXT.exec(text) ?? [];
    if (name === undefined) return;
    const stream = this.#streams.get(name) ?? { seen: new Map(), lastAt: 0 };
    this.#streams.set(name, stream);
    if (stream.seen.has(Number(index))) return;
    stream.lastAt = nowMs();
    stream.seen.set(Number(index), stream.lastAt - Number(sentAt));
    this.#changed();
  }

  /** Resolves once `count` messages of the stream came; rejects after a while. */
  async until({ stream, count }: { stream: string; count: number }): Promise<Arrivals> {
    const came = () => this.#streams.get(stream)?.seen.size ?? 0;
    if (came() < count) {
      await new Promise<void>((resolve, reject) => {
        const late = setTimeout(
          () => reject(new Error(`only ${came()} of ${count} messages of ${stream} came`)),
          LONGEST_WAIT_MS,
        );
        this.#changed = () => {
          if (came() < count) return;
          clearTimeout(late);
          resolve();
        };
      });
      this.#changed = () => undefined;
    }
    const { seen, lastAt } = this.#streams.get(stream) ?? { seen: new Map<number, number>(), lastAt: 0 };
    this.#streams.delete(stream);
    return { lastAt, latencies: [...seen.values()].sort((a, b) => a - b) };
  }
}
