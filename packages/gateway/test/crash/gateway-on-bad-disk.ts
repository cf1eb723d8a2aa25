/** `wuts serve` on a disk that refuses one sync, the first after SIGUSR2. */
import { fdatasync } from 'node:fs';
import { promisify } from 'node:util';
import { onStoreLost } from '../../src/cli/serve.ts';
import { loadConfig } from '../../src/config.ts';
import { createGateway } from '../../src/gateway.ts';

const sync = promisify(fdatasync);
let bad = false;
process.on('SIGUSR2', () => {
  bad = true;
});

/** Refuses only once: later syncs would tell that all is well, as those of a kernel do. */
async function syncFile(descriptor: number): Promise<void> {
  if (!bad) return sync(descriptor);
  bad = false;
  throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' });
}

const gateway = await createGateway(loadConfig(process.env), { syncFile, onStoreLost });
await gateway.start();
