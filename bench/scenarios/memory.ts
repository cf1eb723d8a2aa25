/** Memory: how much more the gateway holds while it sends a document of 100 MB, against 60 MB. */
import { createHash, randomFillSync } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { HttpAnswer } from '../gateway.ts';
import { Part, residentBytes } from '../processes/calls.ts';
import { compete, type Figure, type Row } from '../rounds.ts';
import { CONTACTS, startWorld, type World } from '../world.ts';

const MB = 1_000_000;
const DOCUMENT_BYTES = 100 * MB;
/** What one such send may cost. */
const BOUND_BYTES = 60 * MB;
const LOOK_EVERY_MS = 5;
const RECIPIENT = CONTACTS[0] ?? '';

type Send = (world: World, file: string) => Promise<HttpAnswer>;

export async function memory(options: { rounds: number; settings: Record<string, string> }): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'wuts-bench-large-'));
  const server = Part.start('static', { env: { FOLDER: folder } });
  const url = await server.call<string>('url');
  const fields = { number: RECIPIENT, file_name: 'large.bin' };
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
    const sha256 = await hashOf(join(folder, 'large.bin'));
    const rows: Row[] = [];
    for (const [name, send] of ways) {
      rows.push(
        await compete({
          scenario: `memory, a document of 100 MB, ${name}`,
          unit: 'documents per 60 MB of extra memory',
          subject: 'WUTS: POST /send/document',
          against: 'the bound of 60 MB',
          rounds: options.rounds,
          measureSubject: () => extra(options.settings, send, sha256),
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
async function extra(settings: Record<string, string>, send: Send, sha256: string): Promise<Figure> {
  const world = await startWorld({ settings, profileDir: null });
  try {
    // Code and buffers that every send needs.
    await send(world, 'small.bin');
    const before = residentBytes(world.gateway.pid);
    let peak = before;
    const watch = setInterval(() => {
      peak = Math.max(peak, residentBytes(world.gateway.pid));
    }, LOOK_EVERY_MS);
    let answer: HttpAnswer;
    try {
      answer = await send(world, 'large.bin');
    } finally {
      clearInterval(watch);
    }
    await assertArrived(world, answer.body.message_id, sha256);
    return { rate: BOUND_BYTES / Math.max(peak - before, 1) };
  } finally {
    await world.stop();
  }
}

/** A figure for a file that did not arrive whole would say nothing. */
async function assertArrived(world: World, id: string, sha256: string): Promise<void> {
  const got = await world.network.call<{ bytes: number; sha256: string }>('received', {
    number: RECIPIENT,
    id,
  });
  if (got.bytes === DOCUMENT_BYTES && got.sha256 === sha256) return;
  throw new Error(`the phone has ${got.bytes} bytes, ${got.sha256}, instead of ${DOCUMENT_BYTES}, ${sha256}`);
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
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
