/** Writes ratchet and journal together for ever, saying each count once it was reported as written. */
import { writeSync } from 'node:fs';
import { systemClock } from '../../src/clock.ts';
import { StoredCredentials } from '../../src/storage/credentials.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { Vault } from '../../src/storage/vault.ts';

const [dataDir = '', id = '', tenantId = ''] = process.argv.slice(2);
const db = await openDatabase({ dataDir });
const keys = new StoredCredentials({
  db,
  vault: new Vault(Buffer.alloc(32, 7)),
  clock: systemClock,
  device: { id, tenantId },
});
for (let count = 1; ; count += 1) {
  const value = Uint8Array.from(Buffer.from(String(count)));
  await keys.write(
    [{ type: 'session', id: 'peer', value }],
    [{ id: String(count), stanza: value, plaintext: value, receivedAt: count }],
  );
  writeSync(1, `${count}\n`);
}
