/** `wuts key rotate` in small batches, which says so after each: `key-rotation.test.ts` kills it. */
import { rotateEncryptionKey } from '../../src/cli/key.ts';

await rotateEncryptionKey(process.env, () => undefined, {
  batch: 5,
  onBatch: () => void process.stdout.write('.'),
});
