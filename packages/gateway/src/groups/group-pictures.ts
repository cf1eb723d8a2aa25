/** The picture of a group. */
import { avatar } from '../sending/content/picture.ts';
import type { MediaInput, OutboundMediaSource } from '../sending/outbound-media.ts';
import type { Caller } from '../tenancy/caller.ts';
import { onGroup } from './group-answers.ts';
import type { GroupDevices, GroupName, Groups } from './groups.ts';
import { reachGroup } from './reaching.ts';

export interface GroupPicturesParts {
  devices: GroupDevices;
  groups: Groups;
  media: OutboundMediaSource;
}

export class GroupPictures {
  readonly #parts: GroupPicturesParts;

  constructor(parts: GroupPicturesParts) {
    this.#parts = parts;
  }

  /**
   * Any picture that we read, cut to a square. Its id; null when WhatsApp does not tell it. Throws INVALID_MEDIA,
   * PAYLOAD_TOO_LARGE, and what a change of a group ends with.
   */
  async set(
    caller: Caller,
    name: GroupName,
    { input, field, signal }: { input: MediaInput; field: string; signal?: AbortSignal },
  ): Promise<string | null> {
    const { device, session, group } = await reachGroup(this.#parts, caller, name);
    const media = this.#parts.media.for({ tenantId: device.tenantId, ...(signal && { signal }) });
    const jpeg = await avatar(media, input, { field, signal });
    return onGroup(group, 'the picture', () => session.groups.setPicture(group.jid, jpeg));
  }

  /** Takes it off. */
  async remove(caller: Caller, name: GroupName): Promise<void> {
    const { session, group } = await reachGroup(this.#parts, caller, name);
    await onGroup(group, 'to take the picture off', () => session.groups.setPicture(group.jid, null));
  }
}
