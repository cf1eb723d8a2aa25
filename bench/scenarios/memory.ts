/** Memory: how much more the gateway holds while it sends a document of 100 MB, against 60 MB. */
import { randomFillSync } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Part, residentBytes } from '../processes/calls.ts';
import { compete, type Figure, type Row } from '../rounds.ts';
import { CONTACTS, startWorld, type World } from '../world.ts';

const MB = 1_000_000;
const DOCUMENT_BYTES = 100 * MB;
/** What one such send may cost. */
const BOUND_BYTES = 60 * MB;
const LOOK_EVERY_MS = 5;

type Send = (world: World, file: string) => Promise<unknown>;

export async function memory(options: { rounds: number; settings: Record<string, string> }): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'wuts-bench-large-'));
  const server = Part.start('static', { env: { FOLDER: folder } });
  const url = await server.call<string>('url');
  const fields = { number: CONTACTS[0] ?? '', file_name: 'large.bin' };
  const ways: [string, Send][] = [
    ['multipart', (world, file) => world.api.upload('/send/document', fields, join(folder, file))],
    [
      'by URL',
      (world, file) => world.api.ok('POST', '/send/document', { ...fields, document_url: `${url}/${file}` }),
    ],
  ];
  try {
    await write(join(folder, 'small.bin'), MB);
    await write(join(folder, 'large.bin'), DOCUMENT_BYTES);
    const rows: Row[] = [];
    for (const [name, send] of ways) {
      rows.push(
        await compete({
          scenario: `memory, a document of 100 MB, ${name}`,
          unit: 'documents per 60 MB of extra memory',
          subject: 'WUTS: POST /send/document',
          against: 'the bound of 60 MB',
          rounds: options.rounds,
          measureSubject: () => extra(options.settings, send),
          measureAgainst: async () => ({ rate: 1 }),
        }),
      );
    }
    return rows;
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A gateway of its own for each figure: memory that was once taken is not given back. */
async function extra(settings: Record<string, string>, send: Send): Promise<Figure> {
  const world = await startWorld({ settings, profileDir: null });
  try {
    // Code and buffers that every send needs.
    await send(world, 'small.bin');
    const before = residentBytes(world.gateway.pid);
    let peak = before;
    const watch = setInterval(() => {
      peak = Math.max(peak, residentBytes(world.gateway.pid));
    }, LOOK_EVERY_MS);
    try {
      await send(world, 'large.bin');
    } finally {
      clearInterval(watch);
    }
    return { rate: BOUND_BYTES / Math.max(peak - before, 1) };
  } finally {
    await world.stop();
  }
}

/** Bytes that do not compress, a piece at a time. */
async function write(path: string, bytes: number): Promise<void> {
  const file = await open(path, 'w');
  const piece = Buffer.alloc(MB);
  for (let written = 0; written < bytes; written += piece.length) {
    await file.write(randomFillSync(piece));
  }
  await file.close();
}
