/**
 * Requests that are none: bytes that are not HTTP, headers over the limit, bodies that never end. There is no request
 * object that Fastify could answer. Those who sent them get the envelope all the same, and the log its line.
 */
import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '../clock.ts';
import { AppError, invalidField } from '../errors.ts';
import type { Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import { errorBody } from './error-envelope.ts';

interface Parts {
  log: Log;
  clock: Clock;
  metrics: Metrics;
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

export class MalformedRequests {
  readonly #parts: Parts;
  /** The newest of each connection. */
  readonly #exchanges = new WeakMap<Duplex, Exchange>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Sees the requests of a server, and answers those that it would answer without a body. */
  follow(server: Server): void {
    server.prependListener('request', (request, response) => {
      this.#exchanges.set(request.socket, { request, response });
    });
    // Refused as any other request is, by `refuseUnmeantHeaders`.
    server.on('checkExpectation', (request, response) => server.emit('request', request, response));
    server.on('connect', (_request, socket) => {
      this.#answer(socket, new AppError('METHOD_NOT_ALLOWED', { message: 'this is no proxy' }));
    });
  }

  /** For Node's `clientError`. */
  refuse(error: Error & { code?: string }, socket: Duplex): void {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const { request, response } = this.#exchanges.get(socket) ?? {};
    if (request && response && !request.complete && response.headersSent) {
      // The body of a request that has its answer: another one would be taken for that of the next.
      socket.destroy();
    } else if (request?.complete && response && !response.writableFinished) {
      // What makes no sense stands behind it, as where a length was counted too short: whoever is told that the
      // request failed does again what it has done.
      if (!response.headersSent) response.setHeader('connection', 'close');
    } else {
      this.#answer(socket, refusalOf(error.code));
    }
  }

  #answer(socket: Duplex, { code, status, message }: AppError): void {
    const { log, clock, metrics } = this.#parts;
    const id = randomUUID();
    log.info({ request_id: id, status, error_code: code }, 'a request that is not valid HTTP was refused');
    metrics.httpRequests.inc({ method: 'unknown', route: 'unknown', status: String(status) });
    const body = JSON.stringify(errorBody(code, id, clock.now(), { message }));
    socket.on('error', () => socket.destroy());
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json; charset=utf-8\r\n` +
        `x-request-id: ${id}\r\nx-content-type-options: nosniff\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    );
  }
}

function refusalOf(code: string | undefined): AppError {
  if (code === 'HPE_HEADER_OVERFLOW') return new AppError('HEADERS_TOO_LARGE');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new AppError('REQUEST_TIMEOUT');
  return new AppError('VALIDATION_ERROR', { message: 'the request is not valid HTTP' });
}

/**
 * One Host, without which HTTP/1.1 refuses a request (RFC 9112 §3.2), and no expectation but that of 100 (RFC 9110
 * §10.1.1). Throws VALIDATION_ERROR.
 */
export function refuseUnmeantHeaders({ httpVersion, rawHeaders, headers }: IncomingMessage): void {
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
  if (hosts > 1) throw invalidField('Host', 'must be given once');
  if (hosts === 0 && httpVersion === '1.1') throw invalidField('Host', 'is required by HTTP/1.1');
  const { expect } = headers;
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
    throw invalidField('Expect', 'must be 100-continue, if it is given');
  }
}
