/** The type that a document is sent under. */
import type { OpenedSource } from './fetch-source.ts';

/** What servers and programs say when they do not know; busboy says `text/plain` for a part without a type. */
const VAGUE: ReadonlySet<string> = new Set([
  'application/octet-stream',
  'binary/octet-stream',
  'application/x-download',
  'text/plain',
]);

/** As it was declared; a vague word never beats the first bytes. Null when neither says anything. */
export function documentType({
  declaredType,
  detectedType,
}: Pick<OpenedSource, 'declaredType' | 'detectedType'>): string | null {
  if (declaredType !== null && !VAGUE.has(declaredType)) return declaredType;
  // Text has no first bytes to be known by.
  return detectedType ?? (declaredType === 'text/plain' ? declaredType : null);
}
