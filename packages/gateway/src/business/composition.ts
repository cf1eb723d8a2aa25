/** Businesses: catalogues, orders, profiles. Nothing here runs by itself: requests call it. */
import { MessageCopies } from '../actions/message-copies.ts';
import type { MessageArchive } from '../messages/archive.ts';
import type { SendingDevices } from '../sending/pipeline.ts';
import type { Recipients } from '../sending/recipients.ts';
import { type BusinessDevices, Businesses } from './business.ts';

export interface BusinessRoom {
  businesses: Businesses;
}

export function composeBusiness(parts: {
  devices: BusinessDevices & SendingDevices;
  recipients: Recipients;
  archive: MessageArchive;
}): BusinessRoom {
  return { businesses: new Businesses({ ...parts, copies: new MessageCopies(parts) }) };
}
