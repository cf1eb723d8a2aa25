/** A way to the network that goes bad: a TCP proxy which holds bytes back, loses them, or resets. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What still passes; of what does not, nobody is told. */
export type Passage = 'open' | 'frozen' | 'loses requests' | 'loses answers';

export class BadRoad {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #target = 0;
  passage: Passage = 'open';

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (client) => this.#accept(client));
  }

  static async build(): Promise<BadRoad> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new BadRoad(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The same address on the road. */
  leadTo(url: string): string {
    const there = new URL(url);
    this.#target = Number(there.port);
    there.port = String(this.port);
    return there.href;
  }

  /** Ends all connections with a TCP reset. */
  reset(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.reset();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(client: Socket): void {
    const server = connect(this.#target, '127.0.0.1');
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    client.on('data', (bytes) => {
      if (this.passage === 'open' || this.passage === 'loses answers') server.write(bytes);
    });
    server.on('data', (bytes) => {
      if (this.passage === 'open' || this.passage === 'loses requests') client.write(bytes);
    });
    for (const [one, other] of [pair, [server, client] as const]) {
      one.on('error', () => undefined);
      one.on('close', () => {
        this.#pairs.delete(pair);
        // A dead road carries no end either.
        if (this.passage === 'open') other.destroy();
      });
    }
  }
}
