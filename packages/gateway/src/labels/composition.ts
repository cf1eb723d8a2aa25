/** Labels of business accounts: kept from the account's state, and changed in it. */
import type { Kysely } from 'kysely';
import { MessageCopies } from '../actions/message-copies.ts';
import type { Clock } from '../clock.ts';
import type { NoticeEvents } from '../events/notice-events.ts';
import type { MessageArchive } from '../messages/archive.ts';
import type { BothNamesListener } from '../messages/chat-names.ts';
import type { SendingDevices } from '../sending/pipeline.ts';
import type { Recipients } from '../sending/recipients.ts';
import type { Database } from '../storage/schema.ts';
import type { StateCollection } from '../whatsapp/port/account.ts';
import { forgetLabels, joinNames, keepLabels } from './keeping.ts';
import { LabelStore } from './label-store.ts';
import { type LabelDevices, Labels } from './labels.ts';

/** Where the account's state keeps labels (whatsmeow appstate/encode.go `BuildLabelEdit`). */
const COLLECTION: StateCollection = 'regular';

export interface LabelsRoom {
  labels: Labels;
}

export function composeLabels(parts: {
  db: Kysely<Database>;
  clock: Clock;
  notices: NoticeEvents;
  onBothNames(listener: BothNamesListener): void;
  devices: LabelDevices & SendingDevices;
  archive: MessageArchive;
  recipients: Recipients;
}): LabelsRoom {
  const { db, clock, notices, devices, recipients } = parts;
  notices.keep((trx, device, notice) => keepLabels(trx, device, notice, clock.now()));
  notices.forget(async (trx, device, collection) => {
    if (collection === COLLECTION) await forgetLabels(trx, device);
  });
  parts.onBothNames(joinNames);
  const labels = new Labels({
    store: new LabelStore(db),
    clock,
    devices,
    recipients,
    copies: new MessageCopies(parts),
  });
  return { labels };
}
