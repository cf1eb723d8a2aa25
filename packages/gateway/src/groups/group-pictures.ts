/** The picture of a group. */
import { usable } from '../sending/content/picture.ts';
import { type MediaInput, type OutboundMediaSource, withOpened } from '../sending/outbound-media.ts';
import type { Caller } from '../tenancy/caller.ts';
import { onGroup } from './group-answers.ts';
import type { GroupDevices, GroupName, Groups } from './groups.ts';
import { reachGroup } from './reaching.ts';

/** Pixels: what the apps make of a picture before they send it (whatsmeow SetGroupPhoto takes such a JPEG). */
const SIDE = 640;
/** Bytes of the picture as it is given. */
const LARGEST = 16 * 1024 ** 2;

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
    const jpeg = await withOpened(
      media,
      input,
      { field, maxBytes: LARGEST, signal },
      async (opened, member) => (await usable(member, () => media.pictures.square(opened, SIDE))).bytes,
    );
    return onGroup(group, 'the picture', () => session.groups.setPicture(group.jid, jpeg));
  }

  /** Takes it off. */
  async remove(caller: Caller, name: GroupName): Promise<void> {
    const { session, group } = await reachGroup(this.#parts, caller, name);
    await onGroup(group, 'to take the picture off', () => session.groups.setPicture(group.jid, null));
  }
}
