/** Calls: refused on request and by themselves. */
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Devices } from '../devices/devices.ts';
import type { NoticeEvents } from '../events/notice-events.ts';
import type { Log } from '../observability/log.ts';
import type { Sending } from '../sending/pipeline.ts';
import type { Recipients } from '../sending/recipients.ts';
import type { Step } from '../steps.ts';
import type { Database } from '../storage/schema.ts';
import type { Caller } from '../tenancy/caller.ts';
import { CallStore } from './call-store.ts';
import { Calls } from './calls.ts';
import { Rejecting } from './rejecting.ts';

export interface CallsRoom {
  calls: Calls;
  step: Step;
}

export function composeCalls(parts: {
  db: Kysely<Database>;
  clock: Clock;
  log: Log;
  notices: NoticeEvents;
  devices: Devices;
  recipients: Recipients;
  sending: Sending;
  ownerOf(device: { tenantId: string; userId: string }): Promise<Caller | null>;
}): CallsRoom {
  const store = new CallStore(parts.db);
  const rejecting = new Rejecting({ ...parts, store });
  parts.notices.keep(rejecting.keep);
  return {
    calls: new Calls({ ...parts, store }),
    step: { name: 'calls', start: () => undefined, stop: () => rejecting.stop() },
  };
}
