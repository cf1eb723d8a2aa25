/**
 * Runs before every test file that shares its process: fails the file that leaves the process otherwise than it found
 * it, for those that come after. Spies and mocks of `vi` are not among it: Vitest takes them back.
 */
import { afterAll, expect, vi } from 'vitest';

const found = process.cwd();
const environment = { ...process.env };

afterAll(() => {
  expect(process.cwd(), 'the working folder').toBe(found);
  // Libraries add to it: the one for pictures says where it is.
  expect(process.env, 'the environment').toMatchObject(environment);
  expect(vi.isFakeTimers(), 'time is still made up').toBe(false);
});
