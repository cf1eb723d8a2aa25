/** What WhatsApp's server refuses with, how each is told, and running operations into it. */
import type { Faults } from '@wuts/sandbox';
import { expect } from 'vitest';
import type { Answer } from '../harness.ts';

export const REFUSALS = [400, 401, 403, 404, 405, 409, 410, 429, 500, 503, 'silence'] as const;

export type Refusal = (typeof REFUSALS)[number];

/** What is asked for, and how. */
export type Operation = readonly [name: string, run: () => Promise<Answer>];

/** The one mapping; stories have a word of their own for what is refused, with a status of its own. */
export function statusFor(code: Refusal, rejected = 422): number {
  if (code === 'silence') return 504;
  if (code === 404 || code === 410) return 404;
  if (code === 429) return 429;
  return code >= 500 ? 502 : rejected;
}

/**
 * Every question of the operations is refused with `code`: each is answered as the mapping says. What is not answered
 * is waited for at once, by all of them: they ask of different things, and one after the other would take minutes.
 */
export async function expectRefused(
  faults: Faults,
  {
    code,
    operations,
    rejected = 422,
  }: { code: Refusal; operations: readonly Operation[]; rejected?: number },
): Promise<void> {
  faults.refuseQuestions(code);
  const answers: Answer[] = [];
  if (code === 'silence') answers.push(...(await Promise.all(operations.map(([, run]) => run()))));
  else for (const [, run] of operations) answers.push(await run());
  faults.clear();
  const told = operations.map(([name], index) => {
    const { status, body } = answers[index] ?? {};
    return [name, status, ...(code === 'silence' ? [] : [body?.whatsapp_code])];
  });
  const expected = [statusFor(code, rejected), ...(code === 'silence' ? [] : [code])];
  expect(told).toEqual(operations.map(([name]) => [name, ...expected]));
}
