import { expect, test } from 'vitest';
import { fc } from '../../../sandbox/test/random.ts';
import { jsonFault } from '../../src/api/request/json-fault.ts';

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/** A text with a character of it gone, doubled, or another in its place. */
const broken = fc
  .tuple(
    fc.json(),
    fc.nat(),
    fc.constantFrom('', '"', ',', '\n', '\\', '}', ']', ':', '0', 't', "'", '{'),
    fc.nat(1),
  )
  .map(([text, at, character, gone]) => {
    const place = at % (text.length + 1);
    return text.slice(0, place) + character + text.slice(place + gone);
  });

test('finds a fault in exactly what the parser refuses', () => {
  fc.assert(
    fc.property(fc.oneof(broken, fc.json(), fc.string()), (text) => {
      expect(jsonFault(text) === null, text).toBe(isJson(text));
    }),
    { numRuns: 2000 },
  );
});
