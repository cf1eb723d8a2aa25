import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { EventEnvelope } from '../../src/events/envelope.ts';

export interface Received {
  headers: Record<string, string>;
  text: string;
  event: EventEnvelope & { signature?: string };
  path: string;
}

/** What to answer: a status, or whatever the test does with the response. */
export type Behaviour = (
  request: Received,
  response: ServerResponse,
) => number | undefined | Promise<number | undefined>;

/** A webhook receiver on a real port of 127.0.0.1. */
export class Receiver {
  readonly received: Received[] = [];
  /** 200 unless a test says otherwise. */
  behave: Behaviour = () => 200;
  readonly #server: Server;
  readonly #watchers = new Set<() => void>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request, response) => void this.#take(request, response));
  }

  static async start(): Promise<Receiver> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Receiver(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  /** The `n` values of the events received, for tests that count. */
  numbers(where: (received: Received) => boolean = () => true): number[] {
    return this.received.filter(where).map(({ event }) => (event.data as { n: number }).n);
  }

  /** Resolves once so many requests have come in. */
  count(least: number): Promise<void> {
    return new Promise((resolve) => {
      const watch = () => {
        if (this.received.length < least) return;
        this.#watchers.delete(watch);
        resolve();
      };
      this.#watchers.add(watch);
      watch();
    });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const headers = request.headers as Record<string, string>;
    const received = { headers, text, event: JSON.parse(text), path: request.url ?? '' };
    this.received.push(received);
    for (const watch of [...this.#watchers]) watch();
    const status = await this.behave(received, response);
    if (status === undefined || response.writableEnded) return;
    response.writeHead(status).end(status === 200 ? 'thank you' : `answer ${status}`);
  }
}
