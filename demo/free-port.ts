import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below those that systems give to outgoing connections (from 32768 on Linux, from 49152 elsewhere): one of these could
 * take the port while nobody listens on it, and a client that tries such a port again and again at last gets itself.
 */
const PORTS = { first: 20_000, last: 32_000 };

/** A port of 127.0.0.1 on which nobody listens, and which stays free for whoever comes and goes on it. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(PORTS.first, PORTS.last);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
