/** Another process on the same database, as the CLI is: writes for ever, saying each time that it has. */
import { writeSync } from 'node:fs';
import { openDatabase } from '../../src/storage/database.ts';

const [dataDir = ''] = process.argv.slice(2);
const db = await openDatabase({ dataDir, sync: 'normal' });
for (let count = 1; ; count += 1) {
  await db
    .insertInto('blobs')
    .values({ sha256: `other ${count}`, size: 0, created_at: 0, last_used_at: 0 })
    .execute();
  writeSync(1, `${count}\n`);
}
