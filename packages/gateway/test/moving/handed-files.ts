import type { HandedFiles } from '../../src/moving/format.ts';

/** Files as somebody hands them in. */
export function handedFiles(files: Record<string, Uint8Array>): HandedFiles {
  return {
    paths: Object.keys(files).sort(),
    bytes: (path) => (Object.hasOwn(files, path) ? files[path] : undefined),
    writtenAt: () => null,
  };
}
