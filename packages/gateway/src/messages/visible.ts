/**
 * Which stored message a caller means: the one rule, for every operation that takes the id of a message.
 *
 * Senders choose message ids, and anyone may use one again. So a message is device, chat, sender and id. The id
 * alone means what was stored first under it among what the caller may see, and its copies on other devices; a
 * later one in another chat or by another sender never takes its place. That one is found by its chat, its
 * device, or its `record_id`.
 */
import { AppError } from '../errors.ts';
import { namesPerson, sameIdentity } from '../identity/jid.ts';
import { type MessageName, mayBeRecordId } from '../identity/message-name.ts';
import type { Caller } from '../tenancy/caller.ts';
import { seesWholeTenant } from '../tenancy/visibility.ts';
import type { Identity } from '../whatsapp/port/identity.ts';
import type { MessageArchive } from './archive.ts';
import { chatOf, type MessageDevice, type StoredMessage, senderOf } from './stored-message.ts';

/** What this folder asks of the devices; `Devices` fits. */
export interface DeviceDirectory {
  resolve(caller: Caller, deviceId?: string): Promise<MessageDevice>;
  /** `own`, the default: those of the caller; `visible`: all that the caller may see. */
  list(caller: Caller, scope?: 'own' | 'visible'): Promise<MessageDevice[]>;
}

export interface FindingParts {
  archive: Pick<MessageArchive, 'stored'>;
  devices: DeviceDirectory;
}

/** Whether a message can be meant at all, such as one of ours. */
export type Fits = (message: StoredMessage) => boolean;

/**
 * Everything on the devices that the caller may see that goes by this name, the first stored first. Also what was
 * deleted for the account alone: it keeps its place. Throws DEVICE_NOT_FOUND.
 */
export async function messagesNamed(
  { archive, devices }: FindingParts,
  caller: Caller,
  { id, chat, deviceId }: MessageName,
): Promise<StoredMessage[]> {
  const visible = await deviceScope(devices, caller, deviceId);
  // No id contains it, and PostgreSQL cannot even be asked.
  if (id.includes('\0')) return [];
  const record = mayBeRecordId(id) ? await archive.stored.record(caller.tenantId, id) : null;
  const named = record && visible(record) ? [record] : await archive.stored.withId(caller.tenantId, id);
  return named.filter((each) => visible(each) && (chat === undefined || isNamed(chatOf(each), chat)));
}

/**
 * The message that is meant, as the devices that the caller may see hold it, the first copy first; of those that
 * fit. Empty when there is none, or when it was deleted for the account alone.
 */
export async function lookUpMessages(
  parts: FindingParts,
  caller: Caller,
  name: MessageName,
  fits: Fits = () => true,
): Promise<StoredMessage[]> {
  const named = await messagesNamed(parts, caller, name);
  return visibleCopiesOfFirst(parts.devices, caller, named.filter(fits));
}

/** As `lookUpMessages`; MESSAGE_NOT_FOUND when there is none. */
export async function findMessages(
  parts: FindingParts,
  caller: Caller,
  name: MessageName,
  fits?: Fits,
): Promise<StoredMessage[]> {
  const copies = await lookUpMessages(parts, caller, name, fits);
  if (copies.length === 0) throw new AppError('MESSAGE_NOT_FOUND');
  return copies;
}

/**
 * The copies of a message that the account of a visible device sent. A received, unknown, foreign or
 * invisible one is MESSAGE_NOT_FOUND alike: which of them it is would tell that it exists.
 */
export function findOwnMessages(
  parts: FindingParts,
  caller: Caller,
  name: MessageName,
): Promise<StoredMessage[]> {
  return findMessages(parts, caller, name, (each) => each.fromMe);
}

/** Of messages with one id, in the order of storing: the first and its copies, without what was deleted for us. */
export async function visibleCopiesOfFirst(
  devices: DeviceDirectory,
  caller: Caller,
  messages: readonly StoredMessage[],
): Promise<StoredMessage[]> {
  const [first, ...others] = messages;
  if (!first) return [];
  const copies = [first];
  if (others.length > 0) {
    const visible = await devices.list(caller, 'visible');
    const accounts = new Map(visible.map((device) => [device.id, device]));
    copies.push(...others.filter((each) => isCopy(first, each, accounts)));
  }
  return copies.filter((each) => each.hiddenAt === null);
}

/** Another device's copy of the same message; on one device, chat and sender tell messages apart. */
function isCopy(
  first: StoredMessage,
  other: StoredMessage,
  accounts: ReadonlyMap<string, Identity>,
): boolean {
  if (first.deviceId === other.deviceId) return false;
  if (!sameIdentity(chatOf(first), chatOf(other))) return false;
  if (!sameIdentity(senderOf(first), senderOf(other))) return false;
  return !isWithPerson(first) || sameIdentity(accountOf(first, accounts), accountOf(other, accounts));
}

/** Groups, channels and broadcasts are the same for everyone; a chat with a person is another for each account. */
function isWithPerson({ chatJid }: StoredMessage): boolean {
  return namesPerson(chatJid);
}

function accountOf(message: StoredMessage, accounts: ReadonlyMap<string, Identity>): Identity {
  if (message.fromMe) return senderOf(message);
  return accounts.get(message.deviceId) ?? { jid: null, lid: null };
}

function isNamed({ jid, lid }: Identity, names: readonly string[]): boolean {
  return (jid !== null && names.includes(jid)) || (lid !== null && names.includes(lid));
}

async function deviceScope(
  devices: DeviceDirectory,
  caller: Caller,
  deviceId: string | undefined,
): Promise<Fits> {
  if (deviceId !== undefined) {
    const device = await devices.resolve(caller, deviceId);
    return (message) => message.deviceId === device.id;
  }
  if (seesWholeTenant(caller)) return () => true;
  const ids = new Set((await devices.list(caller)).map((each) => each.id));
  return (message) => ids.has(message.deviceId);
}
