/** Whether the gateway could listen where it is told to. */
import { createServer } from 'node:net';
import { timeLimit } from '../clock.ts';

export interface Address {
  host: string;
  port: number;
}

/** Why nobody could listen there now, in words; null when one could. Listens for a moment. */
export function portProblem({ host, port }: Address): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', ({ code, message }: NodeJS.ErrnoException) => {
      const where = `port ${port} of ${host}`;
      if (code === 'EADDRINUSE')
        resolve(`${where} is in use by another program: stop that, or set WUTS_PORT`);
      else if (code === 'EACCES') resolve(`${where} may not be used by this user: set WUTS_PORT`);
      else if (code === 'EADDRNOTAVAIL') resolve(`${host} is no address of this machine: set WUTS_HOST`);
      else resolve(`${where} cannot be used: ${message}`);
    });
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}

/** The version of the gateway that answers there; null when something else does, or nothing. */
export async function gatewayAt({ host, port }: Address): Promise<string | null> {
  const limit = timeLimit(2000);
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  try {
    const answer = await fetch(`http://${name.includes(':') ? `[${name}]` : name}:${port}/version`, {
      signal: limit.signal,
    });
    const told = (await answer.json()) as { name?: unknown; version?: unknown };
    return told.name === 'wuts' && typeof told.version === 'string' ? told.version : null;
  } catch {
    return null;
  } finally {
    limit.end();
  }
}
