/**
 * Runs in the process of every test file: fails the test during which an operation gave an answer, of whatever
 * status and code, that the OpenAPI document does not list for it.
 */
import { subscribe } from 'node:diagnostics_channel';
import { afterAll, afterEach, expect } from 'vitest';
import type { Answered } from '../../src/api/server.ts';

/** Test files that share a process run this file once each; the first one listens for all. */
const shared = globalThis as typeof globalThis & { undocumentedAnswers?: Set<string> };
shared.undocumentedAnswers ??= listen(new Set());
const undocumented = shared.undocumentedAnswers;

function listen(into: Set<string>): Set<string> {
  subscribe('wuts:answer', (message) => {
    const { operation, status, code, documented } = message as Answered;
    if (!documented) into.add(`${operation}: ${status} ${code ?? ''}`.trimEnd());
  });
  return into;
}

/** Those seen since the last question. */
export function undocumentedAnswers(): string[] {
  const found = [...undocumented];
  undocumented.clear();
  return found;
}

function expectNone(): void {
  expect(undocumentedAnswers().join('; '), 'answers that the OpenAPI document does not list').toBe('');
}

afterEach(expectNone);
afterAll(expectNone);
