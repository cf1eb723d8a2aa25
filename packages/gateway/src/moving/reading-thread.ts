/** The thread of `reading.ts`: unpacks what was handed in, finds the session in it, and hands out its keys. */

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { AppError, type AppErrorDetail, type ErrorCode } from '../errors.ts';
import {
  type HeldKey,
  HeldSessionRefused,
  type NotTaken,
  type RefusalKind,
} from '../whatsapp/port/moving.ts';
import { handedFiles } from './archive/handed.ts';
import { chooseSession, type Wanted } from './choosing.ts';

export interface ReadingOrder {
  file: { path: string } | { bytes: Uint8Array };
  wanted: Wanted;
}

/** The session that is meant, as it was found; its keys follow. */
export interface FoundInFile {
  format: string;
  title: string;
  saw: string;
  /** What its own program calls it. */
  session: string;
  /** Milliseconds; null where it cannot be seen. */
  lastWritten: number | null;
  creds: unknown;
  /** Where `creds` was found. */
  place: string;
}

export type ReadingAnswer =
  | { found: FoundInFile }
  | { keys: HeldKey[] }
  | { over: NotTaken[] }
  | { refused: { code: ErrorCode; detail: AppErrorDetail } }
  | { held: { kind: RefusalKind; field: string; place: string; message: string } };

/** As many as are checked in one turn of the loop that gets them. */
const KEYS_AT_ONCE = 100;

async function read(port: MessagePort, { file, wanted }: ReadingOrder): Promise<void> {
  const files = await handedFiles('path' in file ? await readFile(file.path) : file.bytes);
  const { format, saw, session } = chooseSession(files, wanted);
  const held = session.read();
  const found: FoundInFile = {
    format: format.name,
    title: format.title,
    saw,
    session: session.name,
    lastWritten: session.lastWritten ?? null,
    creds: held.creds,
    place: held.place,
  };
  send(port, { found });
  let keys: HeldKey[] = [];
  // Handed out when they are asked for: there may be a hundred thousand, of which nobody holds all twice.
  await once(port, 'message');
  for (const key of held.keys) {
    keys.push(key);
    if (keys.length < KEYS_AT_ONCE) continue;
    send(port, { keys });
    keys = [];
    await once(port, 'message');
  }
  send(port, { keys });
  send(port, { over: held.notTaken });
}

function refusal(error: unknown): ReadingAnswer {
  if (error instanceof HeldSessionRefused) {
    const { kind, field, place, message } = error;
    return { held: { kind, field, place, message } };
  }
  if (!(error instanceof AppError)) throw error;
  const { validation = [], extra = {} } = error.detail;
  return { refused: { code: error.code, detail: { message: error.message, validation, extra } } };
}

function send(port: MessagePort, answer: ReadingAnswer): void {
  port.postMessage(answer);
}

if (parentPort) {
  const port = parentPort;
  try {
    await read(port, workerData as ReadingOrder);
  } catch (error) {
    send(port, refusal(error));
  }
}
