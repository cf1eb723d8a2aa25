/** Which session of what was handed in is meant, and what it was recognised by. */
import { AppError, invalidField } from '../errors.ts';
import type { FoundSession, HandedFiles, SessionFormat } from './format.ts';
import { SESSION_FORMATS } from './formats/index.ts';

/** Of names in an error: enough to choose from, or to see what was sent. */
const MOST_NAMES = 50;
const PATHS_SHOWN = 5;
const LONGEST_NAME = 200;

export interface Wanted {
  format?: string | undefined;
  session?: string | undefined;
}

export interface ChosenSession {
  format: SessionFormat;
  saw: string;
  session: FoundSession;
}

export const FORMAT_NAMES = SESSION_FORMATS.map(({ name }) => name);

/** Throws IMPORT_FORMAT_UNKNOWN, IMPORT_AMBIGUOUS, and VALIDATION_ERROR for a session that is not there. */
export function chooseSession(files: HandedFiles, wanted: Wanted): ChosenSession {
  const formats = SESSION_FORMATS.filter(({ name }) => wanted.format === undefined || name === wanted.format);
  for (const format of formats) {
    const found = format.recognise(files);
    if (found) return { format, saw: found.saw, session: only(found.sessions, wanted.session) };
  }
  throw unknown(files, formats);
}

function only(sessions: readonly FoundSession[], wanted: string | undefined): FoundSession {
  const names = sessions.slice(0, MOST_NAMES).map(({ name }) => name.slice(0, LONGEST_NAME));
  if (wanted !== undefined) {
    const exact = sessions.find(({ name }) => name === wanted);
    // Of a folder its last part is enough.
    const [meant, ...others] = exact
      ? [exact]
      : sessions.filter(({ name }) => name.split('/').at(-1) === wanted);
    if (meant && others.length === 0) return meant;
    if (meant) throw new AppError('IMPORT_AMBIGUOUS', { extra: { sessions: names } });
    throw invalidField('session', `is none of those in the file: ${names.join(', ')}`);
  }
  const [session, ...others] = sessions;
  if (session && others.length === 0) return session;
  throw new AppError('IMPORT_AMBIGUOUS', { extra: { sessions: names } });
}

function unknown(files: HandedFiles, formats: readonly SessionFormat[]): AppError {
  const [first, ...others] = files.paths.slice(0, PATHS_SHOWN).map((path) => path.slice(0, LONGEST_NAME));
  const seen =
    first === undefined
      ? 'it is empty'
      : `it has ${files.paths.length} files: ${[first, ...others].join(', ')}`;
  const names = formats.map(({ name, title }) => `${name} (${title})`);
  const message = `holds no session of the formats that were tried; ${seen}; tried: ${names.join('; ')}`;
  return new AppError('IMPORT_FORMAT_UNKNOWN', {
    message: `file ${message}`,
    validation: [{ field: 'file', message }],
    extra: { formats: formats.map(({ name }) => name) },
  });
}
