/** The parts that change stored messages: edit, delete, forward, pin, star. Nothing here runs by itself: requests call it. */
import type { Clock } from '../clock.ts';
import type { MediaService } from '../media/service.ts';
import type { MessageArchive } from '../messages/archive.ts';
import type { Sending, SendingDevices } from '../sending/pipeline.ts';
import type { Recipients } from '../sending/recipients.ts';
import { Deleting } from './deleting.ts';
import { Editing } from './editing.ts';
import { Forwarding } from './forwarding.ts';
import { HistoryRequests } from './history-request.ts';
import { MessageCopies } from './message-copies.ts';
import { OutgoingReceipts } from './outgoing-receipts.ts';
import { Pinning } from './pinning.ts';
import { Starring } from './starring.ts';

export interface ActionsRoom {
  editing: Editing;
  deleting: Deleting;
  forwarding: Forwarding;
  pinning: Pinning;
  starring: Starring;
  receipts: OutgoingReceipts;
  history: HistoryRequests;
}

export function composeActions(parts: {
  clock: Clock;
  devices: SendingDevices;
  archive: MessageArchive;
  media: Pick<MediaService, 'resolve'>;
  recipients: Recipients;
  sending: Sending;
}): ActionsRoom {
  const { clock, archive } = parts;
  const copies = new MessageCopies(parts);
  return {
    editing: new Editing({ copies, archive, clock }),
    deleting: new Deleting({ copies, archive, clock }),
    forwarding: new Forwarding({ ...parts, copies }),
    pinning: new Pinning({ copies, archive, clock }),
    starring: new Starring(copies),
    receipts: new OutgoingReceipts(parts),
    history: new HistoryRequests(parts),
  };
}
