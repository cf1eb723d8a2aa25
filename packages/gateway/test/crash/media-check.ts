import { createHash } from 'node:crypto';
import type { LinkedDevice } from './api-traffic.ts';
import type { SentByPhone } from './network-protocol.ts';

/** Downloads a file over the API; says what is wrong with it, or null when it is the sender's. */
export async function downloadProblem(device: LinkedDevice, sent: SentByPhone): Promise<string | null> {
  const answer = await device.caller.call(
    'GET',
    `/messages/${sent.id}/media?device_id=${device.deviceId}&wait=20`,
  );
  if (answer.status !== 200) return `${answer.status} ${answer.bytes.toString('utf8').slice(0, 300)}`;
  const sha256 = createHash('sha256').update(answer.bytes).digest('hex');
  return sha256 === sent.sha256 ? null : `${answer.bytes.length} bytes that are not the sender's`;
}
