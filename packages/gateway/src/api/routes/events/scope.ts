/** Which events a request asks for. */
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Device } from '../../../devices/devices.ts';
import { invalidField } from '../../../errors.ts';
import { EVENT_NAMES, type EventName } from '../../../events/catalogue/names.ts';
import type { EventScope, Position } from '../../../events/reader.ts';
import type { Caller } from '../../../tenancy/caller.ts';
import { onlyOwner } from '../../../tenancy/visibility.ts';
import { refusing } from '../../description/stated.ts';
import { OnlyDevice, selectedDevice } from '../../request/device.ts';

/** What this folder asks of the devices; `Devices` fits. */
export interface DeviceDirectory {
  resolve(caller: Caller, deviceId?: string): Promise<Pick<Device, 'id'>>;
}

export const Cursor = Type.String({
  pattern: '^(\\d{1,15}|latest)$',
  description: 'A `next` or `id` of an earlier answer; `latest`: only what comes from now on',
  examples: ['4711'],
});

/** More than there are events. */
const MOST_NAMES = 200;

export const filters = {
  event: Type.Optional(
    Type.Array(
      refusing('a name of no event', Type.String({ description: 'One, or several separated by commas' })),
      {
        maxItems: MOST_NAMES,
        description: 'Only these events; may be repeated',
      },
    ),
  ),
  device_id: OnlyDevice,
};

/** The events that the caller may see and wants. */
export async function scopeOf(request: FastifyRequest, devices: DeviceDirectory): Promise<EventScope> {
  const query = request.query as { event?: string[] };
  const { caller } = request;
  const deviceId = selectedDevice(request);
  const names = query.event?.flatMap((each) => each.split(',')).map((each) => eventName(each.trim()));
  return {
    tenantId: caller.tenantId,
    userId: onlyOwner(caller),
    ...(deviceId === undefined ? {} : { deviceIds: [(await devices.resolve(caller, deviceId)).id] }),
    ...(names ? { names } : {}),
  };
}

function eventName(text: string): EventName {
  const name = EVENT_NAMES.find((each) => each === text);
  if (!name) throw invalidField('event', 'is not the name of an event: see GET /webhook/events', text);
  return name;
}

/** A cursor as the reader takes it. */
export function position(cursor: string | undefined): Position | undefined {
  if (cursor === undefined) return undefined;
  return cursor === 'latest' ? 'latest' : Number(cursor);
}
