import { isStorageFailure } from '../../../storage/failure.ts';
import { LeaseEnded } from '../../port/credentials.ts';
import { SessionNotOpen, SessionTimeout } from '../../port/errors.ts';
import { sessionError } from '../connection/engine-errors.ts';

/** A file of the account could not be fetched now: the host did not answer, the disk took no more. */
export class FileUnreachable extends Error {
  constructor(cause: unknown) {
    super('the file could not be fetched', { cause });
    this.name = 'FileUnreachable';
  }
}

/**
 * The store does not take it now, or not from this session, whose place another has taken: never a verdict on
 * what was to be written, and nothing may be acknowledged.
 */
export function storeCannot(error: unknown): boolean {
  return isStorageFailure(error) || error instanceof LeaseEnded;
}

/**
 * Whether what failed may succeed later: the store cannot now, the connection has ended, a host is silent.
 * Everything else is so because of what the stanza, message or file says, and another try ends the same way:
 * nobody may wait behind it.
 */
export function mayPass(error: unknown): boolean {
  if (storeCannot(error) || error instanceof FileUnreachable) return true;
  if (error instanceof Error && error.name === 'AbortError') return true;
  const known = sessionError(error, true);
  return known instanceof SessionNotOpen || known instanceof SessionTimeout;
}
