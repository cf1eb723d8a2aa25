/** A webhook receiver that fails as receivers do, and keeps a log of what it took. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Chance } from './chance.ts';

/** JSON as the parser gives it. */
type Json = ReturnType<typeof JSON.parse>;

/** An event that the receiver has: it answered 2xx, or was cut off after it had stored it. */
export interface Taken {
  id: string;
  event: string;
  deviceId: string;
  data: Json;
}

const MISHAPS = {
  /** 500, nothing stored. */
  error: 4,
  /** 503 with `Retry-After: 1`. */
  busy: 2,
  /** Never answers. */
  hang: 1,
  /** The connection breaks before anything is stored. */
  reset: 2,
  /** The connection breaks after the event was stored: it comes again. */
  lost_answer: 2,
  /** Takes its time, and answers 200. */
  slow: 4,
} as const;
/** After a third failure the next attempt would be five minutes away. */
const LAST_MISHAP = 2;
const SLOW_MS = { least: 200, most: 1200 };

export class WebhookReceiver {
  readonly #base: string;
  readonly #closed = new Set<string>();
  /** In the order in which they were taken; repetitions included. */
  readonly taken: Taken[] = [];
  /** How often each mishap was played. */
  readonly mishaps: Record<string, number> = {};
  #probability = 0;
  readonly #chance: Chance;
  readonly #server: Server;

  private constructor(server: Server, port: number, chance: Chance) {
    this.#server = server;
    this.#chance = chance;
    this.#base = `http://127.0.0.1:${port}`;
  }

  /** The address of a path that takes events. */
  open(path: string): string {
    return `${this.#base}/${path}`;
  }

  /** From now on the path answers 410, and whatever comes there is not taken. */
  close(path: string): void {
    this.#closed.add(`/${path}`);
  }

  static async start(chance: Chance): Promise<WebhookReceiver> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const receiver = new WebhookReceiver(server, address.port, chance);
    server.on('request', (request, response) => void receiver.#answer(request, response));
    return receiver;
  }

  /** From now on requests fail with this probability; 0 heals it. */
  fail(probability: number): void {
    this.#probability = probability;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      // The gateway was killed while it wrote.
      return;
    }
    const body: Json = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    if (this.#closed.has(request.url ?? '')) {
      this.mishaps.gone = (this.mishaps.gone ?? 0) + 1;
      response.writeHead(410).end();
      return;
    }
    const mishap = this.#mishapFor(Number(request.headers['x-wuts-attempt']));
    if (mishap) this.mishaps[mishap] = (this.mishaps[mishap] ?? 0) + 1;
    const take = () =>
      this.taken.push({ id: body.id, event: body.event, deviceId: body.device_id, data: body.data });
    switch (mishap) {
      case 'error':
        response.writeHead(500).end('out of order');
        return;
      case 'busy':
        response.writeHead(503, { 'retry-after': '1' }).end();
        return;
      case 'hang':
        return;
      case 'reset':
        request.socket.destroy();
        return;
      case 'lost_answer':
        take();
        request.socket.destroy();
        return;
      case 'slow':
        take();
        setTimeout(() => response.writeHead(200).end(), this.#chance.between(SLOW_MS.least, SLOW_MS.most));
        return;
      default:
        take();
        response.writeHead(204).end();
    }
  }

  #mishapFor(attempt: number): keyof typeof MISHAPS | null {
    if (attempt > LAST_MISHAP || !this.#chance.hits(this.#probability)) return null;
    return this.#chance.weighted(MISHAPS);
  }
}
