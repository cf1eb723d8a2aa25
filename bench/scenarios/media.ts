/** Warm media: `GET /messages/{id}/media` against the same file through @fastify/static. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HttpClient } from '../gateway.ts';
import { cpuMs, Part } from '../processes/calls.ts';
import { inLanes } from '../processes/lanes.ts';
import { compete, type Figure, quantile, type Row } from '../rounds.ts';
import { CONTACTS, type World, WUTS_PHONE } from '../world.ts';

const SIZES = [
  { name: '100 KB', bytes: 100_000, requests: 400 },
  { name: '1 MB', bytes: 1_000_000, requests: 120 },
  { name: '16 MB', bytes: 16_000_000, requests: 12 },
];
const CONCURRENCY = 4;

export async function media(world: World, options: { rounds: number }): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'wuts-bench-files-'));
  const server = Part.start('static', { env: { FOLDER: folder } });
  const plain = new HttpClient(await server.call<string>('url'));
  const rows: Row[] = [];
  try {
    for (const { name, bytes, requests } of SIZES) {
      const id = await world.network.call<string>('document', {
        from: CONTACTS[0],
        to: WUTS_PHONE,
        file: join(folder, `${bytes}.bin`),
        bytes,
      });
      const path = `/messages/${id}/media`;
      while ((await world.api.call('GET', path)).status !== 200) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      rows.push(
        await compete({
          scenario: `media, warm, ${name}`,
          unit: 'requests/s',
          subject: 'WUTS: GET /messages/{id}/media',
          against: '@fastify/static',
          rounds: options.rounds,
          measureSubject: () => downloads(world.api, path, { bytes, requests, pid: world.gateway.pid }),
          measureAgainst: () => downloads(plain, `/${bytes}.bin`, { bytes, requests, pid: server.pid }),
        }),
      );
    }
  } finally {
    await plain.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
  return rows;
}

/** `requests` downloads of the same file, each of the right length. */
export async function downloads(
  client: HttpClient,
  path: string,
  { bytes, requests, pid }: { bytes: number; requests: number; pid: number },
): Promise<Figure> {
  const before = cpuMs(pid);
  const { tookMs, latencies } = await inLanes(requests, CONCURRENCY, async () => {
    const answer = await client.ok('GET', path);
    if (answer.bytes !== bytes) throw new Error(`${path}: ${answer.bytes} bytes instead of ${bytes}`);
  });
  return {
    rate: (requests * 1000) / tookMs,
    cpuMs: (cpuMs(pid) - before) / requests,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
  };
}
