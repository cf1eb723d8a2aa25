/** What the operations of the tag `business` have in common: whose business they are about. */
import type { FastifyRequest } from 'fastify';
import { BUSINESS_FAILURES, type Businesses, type Whose } from '../../../business/business.ts';
import type { Named } from '../../../contacts/whom.ts';
import { DEVICE_FAILURES } from '../../../devices/choice.ts';
import { selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';

export interface BusinessParts {
  businesses: Businesses;
}

export const tags = ['business'];
export const FAILURES = failures(...DEVICE_FAILURES, ...BUSINESS_FAILURES);

/** The business that `jid` or `number` names; that of the account without any. */
export function whoseIn(request: FastifyRequest, { jid, number }: Named): Whose {
  return { caller: request.caller, deviceId: selectedDevice(request), named: { jid, number } };
}
