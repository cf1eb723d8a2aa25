/** The groups of a caller's device: from the tables, and from WhatsApp where they do not know or the caller asks. */
import { AppError, type ErrorCode, invalidField } from '../errors.ts';
import { normaliseJid, serverOf } from '../identity/jid.ts';
import type { MessageDevice } from '../messages/stored-message.ts';
import type { DeviceDirectory } from '../messages/visible.ts';
import type { Caller } from '../tenancy/caller.ts';
import { onSession, SESSION_FAILURES } from '../whatsapp/port/app-errors.ts';
import type { Jid } from '../whatsapp/port/identity.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';
import type { GroupList, GroupWithMembers, StoredGroup } from './group.ts';
import type { GroupRefresh } from './group-refresh.ts';
import type { GroupStore, ListRequest, MemberPage, PageRequest } from './group-store.ts';

/** What this room asks of the devices; `Devices` fits. */
export interface GroupDevices extends DeviceDirectory {
  /** Throws DEVICE_NOT_READY unless the device is connected. */
  session(device: MessageDevice): WhatsAppSession;
}

/** A group of a device, as a request names both. */
export interface GroupName {
  deviceId: string | undefined;
  /** Its JID, or its id alone. */
  group: string;
}

/** How asking for the groups of a device can end. */
export const GROUP_FAILURES = [
  'DEVICE_NOT_FOUND',
  'DEVICE_AMBIGUOUS',
  'NOT_FOUND',
  ...SESSION_FAILURES,
] as const satisfies readonly ErrorCode[];

export interface GroupsParts {
  devices: GroupDevices;
  store: GroupStore;
  refresh: GroupRefresh;
}

export class Groups {
  readonly #parts: GroupsParts;

  constructor(parts: GroupsParts) {
    this.#parts = parts;
  }

  /** WhatsApp is asked when the caller wants it, and when it has never told this account's groups. */
  async list(
    caller: Caller,
    {
      deviceId,
      refresh = false,
      ...page
    }: ListRequest & { deviceId?: string | undefined; refresh?: boolean },
  ): Promise<GroupList> {
    const { devices, store, refresh: asking } = this.#parts;
    const device = await devices.resolve(caller, deviceId);
    if (refresh || (await store.listedAt(device)) === null) {
      const session = devices.session(device);
      await onSession(() => asking.all(device, session));
    }
    return store.list(device, page);
  }

  /** NOT_FOUND for a group that the account has never been in. */
  async get(caller: Caller, name: GroupName & { refresh?: boolean }): Promise<GroupWithMembers> {
    const { device, group } = await this.#known(caller, name);
    const { members } = await this.#parts.store.members(device, group.jid);
    return { group, members };
  }

  /** As `get`, its members in pages. */
  async members(caller: Caller, name: GroupName, page: PageRequest): Promise<MemberPage> {
    const { device, group } = await this.#known(caller, name);
    return this.#parts.store.members(device, group.jid, page);
  }

  async #known(
    caller: Caller,
    { deviceId, group: written, refresh = false }: GroupName & { refresh?: boolean },
  ): Promise<{ device: MessageDevice; group: StoredGroup }> {
    const { devices, store, refresh: asking } = this.#parts;
    const device = await devices.resolve(caller, deviceId);
    const jid = groupJid(written);
    const stored = refresh ? null : await store.find(device, jid);
    if (stored) return { device, group: stored };
    const session = devices.session(device);
    await onSession(() => asking.one(device, session, jid));
    const group = await store.find(device, jid);
    if (!group) throw new AppError('NOT_FOUND', { message: 'the account knows no such group' });
    return { device, group };
  }
}

/** The group that a path names, by its JID or its id. Throws VALIDATION_ERROR. */
export function groupJid(text: string, field = 'jid'): Jid {
  const written = text.trim();
  const jid = normaliseJid(written.includes('@') ? written : `${written}@g.us`);
  if (jid && serverOf(jid) === 'g.us') return jid;
  throw invalidField(
    field,
    'must be the JID of a group, such as 120363039000000000@g.us',
    text.slice(0, 100),
  );
}
