/** The beginning of a web page, for link previews. */
import type { GuardedClient } from '../net/guarded-client.ts';

/** Pages say what they are in their head, which is within this many bytes even on crowded ones. */
const HEAD_BYTES = 512 * 1024;
/** More than that is cut off by the client itself. */
const MOST_BYTES = 64 * 1024 ** 2;
/** Somebody waits for a message to leave. */
const TIMEOUT_MS = 8000;
const MAX_REDIRECTS = 5;

/** Up to half a megabyte of an HTML page; null for anything that is none or cannot be fetched. */
export async function readPage(client: GuardedClient, url: string): Promise<string | null> {
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
    return decode(Buffer.concat(chunks), type);
  } catch {
    return null;
  }
}

function decode(bytes: Uint8Array, contentType: string): string {
  const label = /charset=["']?([\w-]+)/i.exec(contentType)?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(label).decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes);
  }
}
