import { answer, request, scene } from '../printer.ts';
import { sha256 } from '../samples.ts';
import type { Stage } from '../stage.ts';
import { check } from '../surprise.ts';

const AT_ONCE = 10;

/** The same bytes come again from the CDN; ten requests at once cost one download. */
export async function emptiedCache(stage: Stage): Promise<void> {
  const { shopApi, sandbox } = stage;
  const { id, sample } = stage.received('video');

  scene(`${await stage.emptyMediaCache()} cached files are deleted`);
  sandbox.cdn.clearLog();
  const path = `/messages/${id}/media`;
  request(`${shopApi.curl('GET', path)}   # ${AT_ONCE} times at once`);
  const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => shopApi.quiet('GET', path)));
  const statuses = answers.map((got) => got.status);
  answer(statuses[0] ?? 0, `${answers[0]?.bytes.length} bytes, ${AT_ONCE} times`);
  check('ten times 200', statuses, Array(AT_ONCE).fill(200));
  const hashes = [...new Set(answers.map((got) => sha256(got.bytes)))];
  check('ten times the exact bytes', hashes, [sha256(sample.bytes)]);
  check('one download from the CDN', stage.cdnDownloads().length, 1);
}
