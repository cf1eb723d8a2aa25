/** The type that a document is sent under. */
import { extname } from 'node:path';
import { lookup } from 'mime-types';
import type { OpenedSource } from './fetch-source.ts';

/** What servers and programs say when they do not know; busboy says `text/plain` for a part without a type. */
const VAGUE: ReadonlySet<string> = new Set([
  'application/octet-stream',
  'binary/octet-stream',
  'application/x-download',
  'text/plain',
]);

/** What first bytes say of files that are something more precise: office files and apps are ZIP, OLE or XML. */
const CONTAINERS: ReadonlySet<string> = new Set(['application/zip', 'application/x-cfb', 'application/xml']);

/**
 * As it was declared; a vague word never beats the first bytes, and where those are not clear the extension of
 * the name decides. Null when nothing says anything.
 */
export function documentType(
  { declaredType, detectedType }: Pick<OpenedSource, 'declaredType' | 'detectedType'>,
  fileName: string,
): string | null {
  if (declaredType !== null && !VAGUE.has(declaredType)) return declaredType;
  const named = typeOfExtension(fileName);
  if (detectedType !== null) {
    return CONTAINERS.has(detectedType) && named?.startsWith('application/') ? named : detectedType;
  }
  // Text has no first bytes to be known by.
  return named ?? (declaredType === 'text/plain' ? declaredType : null);
}

function typeOfExtension(fileName: string): string | null {
  const extension = extname(fileName);
  // Without the dot, `mime-types` would take a file that is called "pdf" for one.
  const type = extension.length > 1 ? lookup(extension) : false;
  // Sound and video are known by their bytes; their extensions are those of texts too: `.ts` is MPEG and TypeScript.
  return type === false || /^(?:audio|video)\//.test(type) ? null : type;
}
