/** The type that a document is sent under. */
import { extname } from 'node:path';
import { lookup } from 'mime-types';
import type { OpenedSource } from './fetch-source.ts';

/** What servers and programs say when they do not know. */
const VAGUE: ReadonlySet<string> = new Set([
  ...[
    'application/octet-stream',
    'binary/octet-stream',
    'application/octetstream',
    'application/x-octet-stream',
  ],
  ...['application/x-download', 'application/download', 'application/x-msdownload'],
  ...['application/force-download', 'application/x-force-download'],
  ...['application/unknown', 'application/x-unknown', 'application/binary', 'application/x-binary'],
  // What curl says of a body, and forms of themselves.
  ...['application/x-www-form-urlencoded', 'multipart/form-data'],
]);

/** What busboy says for a part without a type, and servers for what they know no better word. */
const PLAIN = 'text/plain';

/** Of office files and apps, which are ZIP, OLE or XML, first bytes and some servers say that alone. */
const XML: ReadonlySet<string> = new Set(['application/xml', 'text/xml']);
const PACKED: ReadonlySet<string> = new Set([
  ...['application/zip', 'application/x-zip', 'application/x-zip-compressed'],
  ...['application/x-cfb', 'application/x-ole-storage'],
]);

/**
 * As the caller says in words, else as it was declared; a vague word never beats the first bytes, and where those are
 * not clear the extension of the name decides. Null when nothing says anything.
 */
export function documentType(
  { declaredType, detectedType }: Pick<OpenedSource, 'declaredType' | 'detectedType'>,
  fileName: string,
  said: string | undefined,
): string | null {
  const plain = said?.split(';')[0]?.trim().toLowerCase();
  if (said && plain && !VAGUE.has(plain)) return said;
  const named = typeOfExtension(fileName);
  if (declaredType !== null && declaredType !== PLAIN && !VAGUE.has(declaredType)) {
    return refined(declaredType, [detectedType, named]);
  }
  if (detectedType !== null) return refined(detectedType, [named]);
  // Text has no first bytes to be known by.
  return named ?? (declaredType === PLAIN ? PLAIN : null);
}

/** The type, or the first of the others that it is the container of. */
function refined(type: string, others: readonly (string | null)[]): string {
  const holds = (other: string): boolean => {
    if (PACKED.has(type)) return other.startsWith('application/') && !PACKED.has(other);
    // Every XML text may begin as one that is nothing more.
    return XML.has(type) && /^(?:application|text)\/|xml$/.test(other) && !XML.has(other);
  };
  return others.find((other) => other !== null && holds(other)) ?? type;
}

function typeOfExtension(fileName: string): string | null {
  // Of the name itself, `mime-types` would take a file that is called "pdf" for one.
  const type = lookup(extname(fileName));
  // Sound and video are known by their bytes; their extensions are those of texts too: `.ts` is MPEG and TypeScript.
  return type === false || /^(?:audio|video)\//.test(type) ? null : type;
}
