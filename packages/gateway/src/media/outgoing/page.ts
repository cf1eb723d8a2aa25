/** The beginning of a web page, for link previews. */
import { Parser } from 'htmlparser2';
import type { GuardedClient } from '../../net/guarded-client.ts';

/** Pages say what they are in their head, which is within this many bytes even on crowded ones. */
const HEAD_BYTES = 512 * 1024;
/** More than that is cut off by the client itself. */
const MOST_BYTES = 64 * 1024 ** 2;
/** Somebody waits for a message to leave. */
const TIMEOUT_MS = 8000;
const MAX_REDIRECTS = 5;

/** A page's beginning, and where it was at last. */
export interface Page {
  html: string;
  /** What its relative addresses are relative to, unless it says so itself. */
  url: string;
}

/** Up to half a megabyte of an HTML page; null for anything that is none or cannot be fetched. */
export async function readPage(client: GuardedClient, url: string): Promise<Page | null> {
  try {
    const response = await client.request(url, {
      headers: { accept: 'text/html' },
      maxBytes: MOST_BYTES,
      timeoutMs: TIMEOUT_MS,
      maxRedirects: MAX_REDIRECTS,
    });
    const type = String(response.headers['content-type'] ?? '');
    if (response.status !== 200 || !/^text\/html|^application\/xhtml/i.test(type)) {
      response.body.destroy();
      return null;
    }
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= HEAD_BYTES) break;
    }
    return { html: decode(Buffer.concat(chunks), type), url: response.url };
  } catch {
    return null;
  }
}

/** Declarations stand within this many bytes; the standard asks for 1024, and pages are less strict. */
const DECLARED_BYTES = 4096;

const BYTE_ORDER_MARKS: readonly (readonly [string, string])[] = [
  ['efbbbf', 'utf-8'],
  ['fffe', 'utf-16le'],
  ['feff', 'utf-16be'],
];

/** In the order of https://html.spec.whatwg.org/#encoding-sniffing-algorithm, UTF-8 before a guess. */
function decode(bytes: Buffer, contentType: string): string {
  const start = bytes.subarray(0, 3).toString('hex');
  const marked = BYTE_ORDER_MARKS.find(([mark]) => start.startsWith(mark))?.[1];
  const labels = [marked, /charset=["']?([\w:-]+)/i.exec(contentType)?.[1], declaredIn(bytes)];
  for (const label of labels) {
    const text = label && decodedAs(label, bytes);
    if (text) return text;
  }
  // The end may be cut off within a character.
  return decodedAs('utf-8', bytes, { fatal: true }) ?? new TextDecoder('windows-1252').decode(bytes);
}

function decodedAs(label: string, bytes: Uint8Array, options: { fatal?: boolean } = {}): string | null {
  try {
    return new TextDecoder(label, options).decode(bytes, { stream: true });
  } catch {
    return null;
  }
}

/** `<meta charset>` or its older form; a page that says UTF-16 there was read as ASCII, so it is not. */
function declaredIn(bytes: Buffer): string | null {
  let label: string | null = null;
  const parser = new Parser({
    onopentag(name, { charset, content, 'http-equiv': equivalent }) {
      if (name !== 'meta' || label !== null) return;
      const older = /^content-type$/i.test(equivalent ?? '')
        ? /charset=\s*["']?([\w:-]+)/i.exec(content ?? '')
        : null;
      label = charset?.trim() || (older?.[1] ?? null);
    },
  });
  parser.end(bytes.subarray(0, DECLARED_BYTES).toString('latin1'));
  return label !== null && /^utf-?16/i.test(label) ? 'utf-8' : label;
}
