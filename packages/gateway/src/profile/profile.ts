/** What the account of a device shows of itself, and to whom. */
import type { Device, Devices } from '../devices/devices.ts';
import { AppError } from '../errors.ts';
import type { OutboundFiles } from '../media/outgoing/outbound.ts';
import { avatar } from '../sending/content/picture.ts';
import { checkedTimer } from '../sending/disappearing.ts';
import type { Caller } from '../tenancy/caller.ts';
import { onSession } from '../whatsapp/port/app-errors.ts';
import type { OwnAbout, OwnPicture, PrivacySetting } from '../whatsapp/port/profile.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';

export type Privacy = Partial<Record<PrivacySetting, string>>;

export interface ProfileChange {
  name?: string | undefined;
  about?: string | undefined;
  disappearingSeconds?: number | undefined;
}

export interface OwnProfile {
  device: Device;
  about: OwnAbout;
  picture: OwnPicture | null;
  disappearingSeconds: number;
}

export interface ProfileParts {
  devices: Pick<Devices, 'resolve' | 'session'>;
  files: Pick<OutboundFiles, 'for'>;
}

export class Profiles {
  readonly #parts: ProfileParts;

  constructor(parts: ProfileParts) {
    this.#parts = parts;
  }

  async privacy(caller: Caller, deviceId: string | undefined): Promise<Privacy> {
    const { session } = await this.#open(caller, deviceId);
    return onSession(() => session.profile.privacy());
  }

  /** One after the other; the error of one that fails says which were set before it (`changed`). */
  async setPrivacy(
    caller: Caller,
    deviceId: string | undefined,
    wanted: readonly (readonly [PrivacySetting, string])[],
  ): Promise<Privacy> {
    const { session } = await this.#open(caller, deviceId);
    const changed: PrivacySetting[] = [];
    for (const [setting, value] of wanted) {
      await onSession(() => session.profile.setPrivacy(setting, value), {
        message: `WhatsApp did not set ${setting} to ${value}`,
        extra: { changed: [...changed] },
      });
      changed.push(setting);
    }
    return onSession(() => session.profile.privacy());
  }

  async profile(caller: Caller, deviceId: string | undefined): Promise<OwnProfile> {
    const { session, device } = await this.#open(caller, deviceId);
    return onSession(async () => {
      const about = await session.profile.about();
      const picture = await session.profile.picture(false);
      const { seconds: disappearingSeconds } = await session.profile.defaultTimer();
      return { device, about, picture, disappearingSeconds };
    });
  }

  /** What is given is changed, one after the other. */
  async change(caller: Caller, deviceId: string | undefined, change: ProfileChange): Promise<Device> {
    const { name, about } = change;
    const disappearingSeconds = checkedTimer('disappearing_seconds', change.disappearingSeconds);
    const { session, device } = await this.#open(caller, deviceId);
    const steps: [string, (() => Promise<void>) | null][] = [
      ['name', name === undefined ? null : () => session.profile.setName(name)],
      ['about', about === undefined ? null : () => session.profile.setAbout(about)],
      [
        'disappearing_seconds',
        disappearingSeconds === undefined ? null : () => session.profile.setDefaultTimer(disappearingSeconds),
      ],
    ];
    const changed: string[] = [];
    for (const [member, step] of steps) {
      if (!step) continue;
      await onSession(step, {
        message: `WhatsApp did not change ${member}`,
        extra: { changed: [...changed] },
      });
      changed.push(member);
    }
    return device;
  }

  /** Cut to the square in its middle and made a JPEG. Throws INVALID_MEDIA, PAYLOAD_TOO_LARGE. */
  async setPicture(
    caller: Caller,
    deviceId: string | undefined,
    input: { base64: string } | { url: string },
  ): Promise<string> {
    const { session, device } = await this.#open(caller, deviceId);
    const files = this.#parts.files.for({ tenantId: device.tenantId });
    const field = 'url' in input ? 'image' : 'image_base64';
    const jpeg = await avatar(files, input, { field });
    return onSession(() => session.profile.setPicture(jpeg));
  }

  async removePicture(caller: Caller, deviceId: string | undefined): Promise<void> {
    const { session } = await this.#open(caller, deviceId);
    await onSession(() => session.profile.removePicture());
  }

  /** Throws NOT_FOUND when there is none. */
  async picture(caller: Caller, deviceId: string | undefined, preview: boolean): Promise<OwnPicture> {
    const { session } = await this.#open(caller, deviceId);
    const picture = await onSession(() => session.profile.picture(preview));
    if (!picture) throw new AppError('NOT_FOUND', { message: 'the account has no picture' });
    return picture;
  }

  async #open(
    caller: Caller,
    deviceId: string | undefined,
  ): Promise<{ device: Device; session: WhatsAppSession }> {
    const device = await this.#parts.devices.resolve(caller, deviceId);
    return { device, session: this.#parts.devices.session(device) };
  }
}
