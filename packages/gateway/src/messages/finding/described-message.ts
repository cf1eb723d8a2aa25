/** Stored messages with everything that an answer says about them. */
import type { Kysely } from 'kysely';
import type { MessageData } from '../../events/catalogue/message-data.ts';
import { type MediaUrls, plainMediaUrls, withMediaUrls } from '../../events/media-urls.ts';
import { messageData } from '../../events/payloads/message.ts';
import type { Database } from '../../storage/schema.ts';
import type { MessageArchive } from '../archive.ts';
import { eventMessage, fromDescriptor, loadMedia } from '../event-message.ts';
import { type DeliveryStatus, statusOf } from '../incoming-receipts.ts';
import type { MessageDevice, StoredMessage } from '../stored-message.ts';

export interface DescribedMessage {
  message: StoredMessage;
  /** As the events of the message tell it. */
  data: MessageData;
  /** Of what the account sent; null for what it received. */
  status: DeliveryStatus | null;
}

interface DescribingParts {
  db: Kysely<Database>;
  archive: MessageArchive;
  mediaUrls?: MediaUrls;
}

/** In the given order. Messages of other devices than the given ones are left out. */
export async function describeMessages(
  { db, archive, mediaUrls = plainMediaUrls }: DescribingParts,
  devices: readonly MessageDevice[],
  messages: readonly StoredMessage[],
): Promise<DescribedMessage[]> {
  const accounts = new Map(devices.map((device) => [device.id, device]));
  const [tenantId] = devices.map((device) => device.tenantId);
  if (tenantId === undefined) return [];
  const media = await loadMedia(db, tenantId, messages);
  const details = await archive.contents.details(tenantId, messages);
  const described: DescribedMessage[] = [];
  for (const message of messages) {
    const account = accounts.get(message.deviceId);
    if (!account) continue;
    const { rowId } = message;
    const furtherMedia = (await archive.contents.furtherFiles(message)).map(fromDescriptor);
    const files = { media: media.get(rowId) ?? null, furtherMedia };
    const told = eventMessage(message, files, details.get(rowId) ?? null);
    const status = message.fromMe ? statusOf(message) : null;
    const data = withMediaUrls(messageData(told, account), message.deviceId, mediaUrls);
    described.push({ message, data, status });
  }
  return described;
}
