import type { IncomingMessage, ServerResponse } from 'node:http';

/** A request that cannot be served; the status and the text are given to the caller as `{error}`. */
export class ControlError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'ControlError';
    this.status = status;
  }
}

export type JsonObject = { readonly [key: string]: unknown };

export interface ControlRequest {
  /** The `{name}` parts of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: JsonObject;
}

/** What a handler returns is the JSON answer; `undefined` answers `{"ok": true}`. */
export type ControlHandler = (request: ControlRequest) => unknown;

interface Route {
  readonly method: string;
  readonly parts: readonly string[];
  readonly handler: ControlHandler;
}

/** Enough for a media file in base64; the control API is for one person on one machine. */
const MAX_BODY_BYTES = 100 * 1024 * 1024;

const LOOPBACK_HOST = /^(?:127\.0\.0\.1|localhost)(?::\d+)?$/;

function split(path: string): string[] {
  return path.split('/').filter((part) => part !== '');
}

async function readJson(request: IncomingMessage): Promise<JsonObject> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new ControlError(413, 'the body is too large');
    chunks.push(chunk);
  }
  if (size === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new ControlError(400, 'the body is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ControlError(400, 'the body is not a JSON object');
  }
  return value as JsonObject;
}

/** Matches methods and paths, reads JSON, answers JSON. */
export class Router {
  readonly #routes: Route[] = [];

  on(method: string, path: string, handler: ControlHandler): this {
    this.#routes.push({ method, parts: split(path), handler });
    return this;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let status = 200;
    let answer: unknown;
    try {
      answer = (await this.#dispatch(request)) ?? { ok: true };
    } catch (error) {
      // Everything that the phones and faults refuse is the caller's mistake: a wrong number, id or state.
      status = error instanceof ControlError ? error.status : 400;
      const reason = (error as { reason?: unknown }).reason;
      answer = {
        error: error instanceof Error ? error.message : String(error),
        ...(typeof reason === 'string' ? { reason } : {}),
      };
    }
    const text = `${JSON.stringify(answer, writable, 2)}\n`;
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(text);
  }

  async #dispatch(request: IncomingMessage): Promise<unknown> {
    // A web page must not drive the sandbox of the developer who visits it, nor by a name of its own
    // that resolves to loopback.
    if (request.headers.origin !== undefined) throw new ControlError(403, 'not for web pages');
    if (!LOOPBACK_HOST.test(request.headers.host ?? '')) throw new ControlError(403, 'ask for 127.0.0.1');
    const url = new URL(request.url ?? '/', 'http://control.invalid');
    const parts = split(url.pathname).map((part) => decodeURIComponent(part));
    const method = request.method ?? 'GET';
    let known = false;
    for (const route of this.#routes) {
      const params = match(route.parts, parts);
      if (!params) continue;
      known = true;
      if (route.method !== method) continue;
      const body = method === 'GET' ? {} : await readJson(request);
      return route.handler({ params, query: url.searchParams, body });
    }
    if (known) throw new ControlError(405, `${method} is not for ${url.pathname}`);
    throw new ControlError(404, `nothing at ${url.pathname}; GET / lists what is here`);
  }
}

function match(pattern: readonly string[], parts: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== parts.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, wanted] of pattern.entries()) {
    const part = parts[index] ?? '';
    if (wanted.startsWith('{')) params[wanted.slice(1, -1)] = part;
    else if (wanted !== part) return undefined;
  }
  return params;
}

/** Bytes are written as base64: a Buffer's own JSON form is of no use to other languages. */
function writable(this: unknown, key: string, value: unknown): unknown {
  const raw = (this as Record<string, unknown>)[key];
  if (raw instanceof Uint8Array) return Buffer.from(raw).toString('base64');
  return value;
}
