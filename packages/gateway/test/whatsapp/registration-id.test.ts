/** The number that a device registers with, and sends with the first messages of a session. */
import { expect, test } from 'vitest';
import { loadAuthState } from '../../src/whatsapp/baileys/connection/auth-state.ts';
import { MemoryCredentials } from './memory-credentials.ts';

test('a new device draws it from 14 bits, and never 0', async () => {
  const drawn = await Promise.all(
    Array.from(
      { length: 40 },
      async () => (await loadAuthState(new MemoryCredentials())).creds.registrationId,
    ),
  );
  for (const id of drawn) expect(id).toBeGreaterThanOrEqual(1);
  for (const id of drawn) expect(id).toBeLessThanOrEqual(16_380);
  // Of one byte none would be; by chance in one of 10^72 runs.
  expect(drawn.some((id) => id > 255)).toBe(true);
});
