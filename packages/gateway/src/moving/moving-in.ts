/** A number that another program has linked moves in: its session goes on in a device here, without linking anew. */
import type { Clock } from '../clock.ts';
import type { Device, Devices } from '../devices/devices.ts';
import { TAKING_OVER_FAILURES } from '../devices/taking-over.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import { decodeBase64 } from '../media/outgoing/base64.ts';
import type { Uploads } from '../media/outgoing/uploads.ts';
import type { Caller } from '../tenancy/caller.ts';
import {
  type CheckedSession,
  type HeldSessionReader,
  HeldSessionRefused,
  type RefusalKind,
} from '../whatsapp/port/moving.ts';
import { MOST_UPLOADED_BYTES } from './archive/handed.ts';
import type { Wanted } from './choosing.ts';
import { reading } from './reading.ts';
import type { FoundInFile, ReadingOrder } from './reading-thread.ts';

/** A program that runs writes with each message; one that was stopped does not. */
const QUIET_MS = 30_000;

export { FORMAT_NAMES } from './choosing.ts';
export { MOST_UPLOADED_BYTES };

export const MOVING_FAILURES = [
  'DEVICE_NOT_FOUND',
  'IMPORT_UNREADABLE',
  'IMPORT_TOO_LARGE',
  'IMPORT_FORMAT_UNKNOWN',
  'IMPORT_AMBIGUOUS',
  'SESSION_MALFORMED',
  'SESSION_INCONSISTENT',
  'SESSION_NOT_LINKED',
  'SESSION_IN_USE',
  'INVALID_MEDIA',
  ...TAKING_OVER_FAILURES,
] as const satisfies readonly ErrorCode[];

export interface MovingInOrder extends Wanted {
  /** Base64, or the token of an upload. */
  file: string;
  /** Although the program that holds the session seems to run. */
  force: boolean;
  /** Says what would be done, and does nothing. */
  dryRun: boolean;
}

export interface MovedIn {
  found: FoundInFile;
  session: CheckedSession;
  /** As it is afterwards; as it was, of a dry run. */
  device: Device;
}

export interface MovingInParts {
  devices: Devices;
  uploads: Uploads;
  clock: Clock;
  reader: HeldSessionReader;
}

export class MovingIn {
  readonly #parts: MovingInParts;
  /** An archive is unpacked in memory: one at a time. */
  #last: Promise<unknown> = Promise.resolve();
  readonly #stopping = new AbortController();

  constructor(parts: MovingInParts) {
    this.#parts = parts;
  }

  /** Resolves once the device is connected, or cannot be now. Throws `MOVING_FAILURES`; then nothing has changed. */
  async moveIn(caller: Caller, deviceId: string, order: MovingInOrder): Promise<MovedIn> {
    const { devices } = this.#parts;
    const device = await devices.resolve(caller, deviceId);
    const { found, session } = await this.#alone(async () => {
      const read = await this.#read(order);
      await devices.refuseToTakeOver(caller, device, read.session.identity);
      return read;
    });
    if (order.dryRun) return { found, session, device };
    return { found, session, device: await devices.takeOver(caller, device, session) };
  }

  /** Ends what is being read. */
  stop(): void {
    this.#stopping.abort();
  }

  async #read({ file, format, session, force }: MovingInOrder): Promise<Pick<MovedIn, 'found' | 'session'>> {
    const order = { file: this.#file(file), wanted: { format, session } };
    try {
      return await reading(order, this.#stopping.signal, async ({ found, held }) => {
        if (!force) this.#refuseInUse(found);
        return { found, session: await this.#parts.reader.check(held) };
      });
    } catch (error) {
      throw error instanceof HeldSessionRefused ? refusal(error) : error;
    }
  }

  #file(file: string): ReadingOrder['file'] {
    const upload = this.#parts.uploads.find(file);
    if (!upload) return { bytes: decodeBase64(file, 'file_base64', MOST_UPLOADED_BYTES).bytes };
    const { content } = upload;
    return 'path' in content ? { path: content.path } : { bytes: content.bytes };
  }

  /** Two programs with one session throw each other out (440), and each moves keys on that the other then lacks. */
  #refuseInUse({ lastWritten }: FoundInFile): void {
    if (lastWritten === null) return;
    const age = this.#parts.clock.now() - lastWritten;
    if (age < 0 || age >= QUIET_MS) return;
    const seconds = Math.round(age / 1000);
    throw new AppError('SESSION_IN_USE', {
      message:
        `the session was written to ${seconds} s before it came here: stop the program that holds it, wait ` +
        `${QUIET_MS / 1000} s, and hand it in again; or say force=true if that program has stopped for good`,
      retryAfterSeconds: Math.ceil((QUIET_MS - age) / 1000),
    });
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}

const CODES: { [kind in RefusalKind]: ErrorCode } = {
  malformed: 'SESSION_MALFORMED',
  inconsistent: 'SESSION_INCONSISTENT',
  not_linked: 'SESSION_NOT_LINKED',
};

function refusal({ kind, field, place, message }: HeldSessionRefused): AppError {
  return new AppError(CODES[kind], {
    message: `${place}: ${message}`,
    validation: [{ field, message }],
  });
}
