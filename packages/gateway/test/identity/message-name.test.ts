import { expect, it } from 'vitest';
import { mayBeRecordId } from '../../src/identity/message-name.ts';

const RECORD = '0b7f3c1e-94d2-4a6b-8c5d-2e1f00a9b8c7';

it.each([
  [RECORD, true],
  // What phones and companions name messages.
  ['3EB0C767D0A1B2C3D4E5', false],
  [RECORD.toUpperCase(), false],
  [RECORD.replaceAll('-', ''), false],
  [`x${RECORD}`, false],
  [`${RECORD}x`, false],
  [RECORD.slice(1), false],
  [RECORD.slice(0, -1), false],
  [RECORD.replace('-4a6b', ''), false],
  [RECORD.replace('-4a6b', '-4a6'), false],
])('%s may be an id of ours: %s', (id, may) => {
  expect(mayBeRecordId(id)).toBe(may);
});
