/** What is answered where no operation is: it has another method, or perhaps another name. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../errors.ts';
import { editDistance } from '../nearest-name.ts';

/** Longer ones are no misspelling of ours. */
const LONGEST_PATH = 200;
/** Letters that may differ between what was asked for and what was meant. */
const MOST_DIFFERENCES = 3;
/** What other gateways and versions put before their paths. */
const PREFIX = /^(?:\/api)?(?:\/v\d{1,2})?(?=\/)/;

interface Operation {
  method: string;
  /** As OpenAPI writes it. */
  path: string;
  segments: string[];
}

/** Every operation there is: only asked when the router found nothing. */
export class Operations {
  readonly #here: Operation[] = [];

  add(url: string, methods: readonly string[]): void {
    if (url.includes('*')) return;
    const path = url.replaceAll(/:(\w+)/g, '{$1}');
    for (const method of methods) this.#here.push(operation(method, path));
  }

  /** The error for a request that reached no operation. Sets `Allow` where the method alone is wrong. */
  absent({ method, url }: FastifyRequest, reply: FastifyReply): AppError {
    const path = url.split('?')[0] ?? '';
    const asked = path.split('/');
    const methods = methodsOf(this.#here.filter(({ segments }) => matches(segments, asked)));
    if (methods.length > 0) {
      const allowed = methods.join(', ');
      reply.header('allow', allowed);
      return new AppError('METHOD_NOT_ALLOWED', {
        message: `method not allowed: this path takes ${allowed}`,
      });
    }
    const meant = this.#nearest(method, path);
    const advice = meant === null ? '' : `, did you mean ${meant}?`;
    return new AppError('NOT_FOUND', {
      message: `no such operation${advice || '; /docs lists them all'}`,
      extra: meant === null ? {} : { did_you_mean: meant },
    });
  }

  #nearest(method: string, path: string): string | null {
    if (path.length > LONGEST_PATH) return null;
    const plain = path
      .toLowerCase()
      .replaceAll(/\/{2,}/g, '/')
      .replace(/(.)\/$/, '$1')
      .replace(PREFIX, '');
    const asked = plain.split('/');
    let best: { cost: number; name: string } | null = null;
    for (const each of this.#here) {
      // Of two that are equally near, the one with the method that was asked for.
      const cost = distance(each, asked) + (each.method === method ? 0 : 0.5);
      if (cost < Math.min(best?.cost ?? Number.POSITIVE_INFINITY, MOST_DIFFERENCES + 1)) {
        best = { cost, name: `${each.method} ${each.path}` };
      }
    }
    return best?.name ?? null;
  }
}

/**
 * Of the operations that a path may mean, those of the path that is written out furthest, as the OpenAPI document
 * has it: `/contacts/block` is no contact whose name is "block".
 */
function methodsOf(here: readonly Operation[]): string[] {
  const parameters = ({ segments }: Operation) => segments.filter(isParameter).length;
  const fewest = Math.min(...here.map(parameters));
  const meant = here.filter((each) => parameters(each) === fewest);
  return [...new Set(meant.map(({ method }) => method))].sort();
}

function operation(method: string, path: string): Operation {
  return { method, path, segments: path.split('/') };
}

function isParameter(segment: string): boolean {
  return segment.startsWith('{');
}

function matches(pattern: readonly string[], asked: readonly string[]): boolean {
  if (pattern.length !== asked.length) return false;
  return pattern.every((part, index) => part === asked[index] || (isParameter(part) && asked[index] !== ''));
}

function distance({ segments }: Operation, asked: readonly string[]): number {
  if (segments.length === asked.length) {
    return segments.reduce((sum, part, index) => sum + segmentDistance(part, asked[index] ?? ''), 0);
  }
  // `/sendText` and `/send-text` for `/send/text`.
  return segments.some(isParameter) ? Number.POSITIVE_INFINITY : edits(bare(segments), bare(asked));
}

function segmentDistance(part: string, asked: string): number {
  if (!isParameter(part)) return edits(part.toLowerCase(), asked);
  return asked === '' ? Number.POSITIVE_INFINITY : 0;
}

function bare(segments: readonly string[]): string {
  return segments.join('').toLowerCase().replaceAll(/[-_]/g, '');
}

function edits(a: string, b: string): number {
  // A word of two or three letters is not a misspelling of another one.
  const most = Math.min(MOST_DIFFERENCES, Math.floor(Math.max(a.length, b.length) / 3));
  const found = editDistance(a, b, most + 1);
  return found <= most ? found : Number.POSITIVE_INFINITY;
}
