/** Which device a request is for: one rule, the same for every operation that takes one. */
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { invalidField } from '../../errors.ts';
import { refusing } from '../description/stated.ts';

const ONE =
  "Which device is meant; without it the caller's own only connected one, else only linked one, else only one";

/** However it is named: by the query, the body or the header, which must agree. */
function named(options: { description: string; examples?: string[] }) {
  return Type.Optional(refusing('another one than the request names elsewhere', Type.String(options)));
}

/** `device_id` of an operation that acts on one device, as query parameter or member of the body. */
export const DeviceId = named({ description: ONE, examples: ['7c9e6679-7425-40de-944b-e07fc1f90ae7'] });
/** `device_id` of a list: what it leaves out. */
export const OnlyDevice = named({
  description: 'Only what is of this device; default: of every device that you may see',
});
/** `device_id` of an operation on a message that is stored. */
export const HoldingDevice = named({
  description: 'Which device is meant; default: one that has the message',
});

export const DeviceQuery = Type.Object({ device_id: DeviceId });
export const OnlyDeviceQuery = Type.Object({ device_id: OnlyDevice });
export const HoldingDeviceQuery = Type.Object({ device_id: HoldingDevice });
/** Beside each of them. */
export const DeviceHeaders = Type.Object({
  'x-device-id': named({ description: 'The same as `device_id`' }),
});

/**
 * The device that a request names, by `device_id` in the query or the body or by the header `X-Device-Id`; an
 * empty text names none. Throws VALIDATION_ERROR when they differ: whichever won, somebody would be surprised
 * by a message from the wrong number.
 */
export function selectedDevice(request: FastifyRequest): string | undefined {
  const named = [deviceIdOf(request.query), deviceIdOf(request.body), request.headers['x-device-id']];
  const given = named.filter((each): each is string => typeof each === 'string' && each !== '');
  const [id] = given;
  if (given.some((each) => each !== id)) {
    throw invalidField('device_id', 'the request names two devices: query, body and X-Device-Id must agree');
  }
  return id;
}

function deviceIdOf(part: unknown): unknown {
  return typeof part === 'object' && part !== null && 'device_id' in part ? part.device_id : undefined;
}
