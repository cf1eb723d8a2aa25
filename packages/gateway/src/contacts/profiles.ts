/** What people show of themselves, asked of WhatsApp. */
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { MessageDevice } from '../messages/stored-message.ts';
import type { SendingDevices } from '../sending/pipeline.ts';
import type { Recipients } from '../sending/recipients.ts';
import type { Database } from '../storage/schema.ts';
import { onSession } from '../whatsapp/port/app-errors.ts';
import type { ContactProfile, PictureInfo } from '../whatsapp/port/contacts.ts';
import { RequestRefused } from '../whatsapp/port/errors.ts';
import type { Identity } from '../whatsapp/port/identity.ts';
import { keepProfile } from './contact-keeper.ts';
import { type Named, personMeant, whomMeant } from './whom.ts';

export class ContactProfiles {
  readonly #db: Kysely<Database>;
  readonly #clock: Clock;
  readonly #devices: SendingDevices;
  readonly #recipients: Recipients;

  constructor(parts: {
    db: Kysely<Database>;
    clock: Clock;
    devices: SendingDevices;
    recipients: Recipients;
  }) {
    this.#db = parts.db;
    this.#clock = parts.clock;
    this.#devices = parts.devices;
    this.#recipients = parts.recipients;
  }

  /** Throws NOT_ON_WHATSAPP, INVALID_RECIPIENT, DEVICE_NOT_READY, and as `onSession`. */
  async profile(device: MessageDevice, named: Named): Promise<{ person: Identity; profile: ContactProfile }> {
    const session = this.#devices.session(device);
    const person = await personMeant(this.#recipients, session, device, named);
    const profile = await onSession(() => session.contacts.profile(person));
    if (!profile) throw new AppError('NOT_ON_WHATSAPP', { message: 'WhatsApp knows nobody by that name' });
    const found = { jid: person.jid, lid: person.lid ?? profile.lid };
    await keepProfile(this.#db, device, { person: found, profile }, this.#clock.now());
    return { person: found, profile };
  }

  /**
   * Where the picture of a person or group is; `info` is null when it is still the known one. Throws PICTURE_NOT_SET,
   * PICTURE_HIDDEN, and as `profile`.
   */
  async picture(
    device: MessageDevice,
    named: Named,
    { preview, existingId }: { preview: boolean; existingId?: string | undefined },
  ): Promise<{ target: Identity; info: PictureInfo | null }> {
    const session = this.#devices.session(device);
    const { chat: target } = await whomMeant(this.#recipients, session, device, named);
    const question = { target, preview, existingId };
    const info = await onSession(async () => {
      try {
        return await session.contacts.picture(question);
      } catch (error) {
        throw pictureRefusal(error);
      }
    });
    return { target, info };
  }
}

/** As whatsmeow user.go GetProfilePictureInfo reads the server's refusals. */
function pictureRefusal(error: unknown): unknown {
  if (!(error instanceof RequestRefused)) return error;
  const extra = { whatsapp_code: error.whatsappCode };
  if (error.whatsappCode === 404) return new AppError('PICTURE_NOT_SET', { extra, cause: error });
  if (error.whatsappCode === 401) return new AppError('PICTURE_HIDDEN', { extra, cause: error });
  return error;
}
