/** Who runs a channel: asked, taken in, put out, and whose it is. */
import { personMeant } from '../contacts/whom.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import { newsletterInviteContent } from '../sending/content/newsletter-invite.ts';
import type { Sending } from '../sending/pipeline.ts';
import { parseRecipient, type Recipients } from '../sending/recipients.ts';
import { onSession } from '../whatsapp/port/app-errors.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import type { NewsletterFollower } from '../whatsapp/port/newsletters.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';
import { NEWSLETTER_FAILURES, type NewsletterDevices, type Whose } from './newsletters.ts';

/** How what is done with a person can end, beside what choosing a device can. */
export const ADMIN_FAILURES = [
  ...NEWSLETTER_FAILURES,
  'NOT_ON_WHATSAPP',
] as const satisfies readonly ErrorCode[];

/** More of them are not looked through for admins: a channel has at most 16, and they come first. */
const ENOUGH_FOR_ADMINS = 100;

export interface Invitation {
  person: Identity;
  /** Milliseconds; null when WhatsApp does not say. */
  expiresAt: number | null;
  /** The message that asks them, or the code of what it failed with: the invitation stands all the same. */
  sent: { messageId: string } | { error: ErrorCode };
}

export interface NewsletterAdminsParts {
  devices: NewsletterDevices;
  recipients: Recipients;
  sending: Pick<Sending, 'send'>;
}

export class NewsletterAdmins {
  readonly #parts: NewsletterAdminsParts;

  constructor(parts: NewsletterAdminsParts) {
    this.#parts = parts;
  }

  async followers(whose: Whose, newsletter: Jid, count: number): Promise<NewsletterFollower[]> {
    const { session } = await this.#open(whose);
    return onSession(() => session.newsletters.followers(newsletter, count));
  }

  /** The owner and the admins, and to the owner who is invited; to an admin WhatsApp does not tell that. */
  async list(
    whose: Whose,
    newsletter: Jid,
  ): Promise<{ admins: NewsletterFollower[]; invited: Identity[] | null }> {
    const { session } = await this.#open(whose);
    const { newsletters } = session;
    const followers = await onSession(() => newsletters.followers(newsletter, ENOUGH_FOR_ADMINS));
    const { viewer } = await onSession(() => newsletters.find({ jid: newsletter }));
    return {
      admins: followers.filter(({ role }) => role === 'owner' || role === 'admin'),
      invited: viewer?.role === 'owner' ? await onSession(() => newsletters.invited(newsletter)) : null,
    };
  }

  /** Asks somebody to become an admin: WhatsApp keeps the invitation, a message tells them of it, as in the apps. */
  async invite(
    whose: Whose,
    newsletter: Jid,
    { number, caption }: { number: string; caption?: string | undefined },
  ): Promise<Invitation> {
    const { caller } = whose;
    const { session, device, person } = await this.#meant(whose, number);
    const { name } = await onSession(() => session.newsletters.find({ jid: newsletter }));
    // Refuses a caption that is too long before anything has happened.
    const content = (expiresAt: number | null) =>
      newsletterInviteContent({ newsletter, name: name.text, expiresAt, caption });
    content(null);
    const expiresAt = await onSession(() => session.newsletters.invite(newsletter, nameFor(person)));
    try {
      const address = parseRecipient(person.jid ?? person.lid ?? '', 'number');
      const { messageId } = await this.#parts.sending.send(caller, {
        deviceId: device.id,
        address,
        content: content(expiresAt),
      });
      return { person, expiresAt, sent: { messageId } };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return { person, expiresAt, sent: { error: error.code } };
    }
  }

  revokeInvite(whose: Whose, newsletter: Jid, number: string): Promise<Identity> {
    return this.#change(whose, number, (session, name) => session.newsletters.revokeInvite(newsletter, name));
  }

  /** The account becomes an admin, as it was asked. NOT_FOUND when it was not, or not in time. */
  async accept(whose: Whose, newsletter: Jid): Promise<void> {
    const { session } = await this.#open(whose);
    await onSession(() => session.newsletters.acceptInvite(newsletter));
  }

  /** Stays a follower. An admin may lay down their own role. */
  demote(whose: Whose, newsletter: Jid, number: string): Promise<Identity> {
    return this.#change(whose, number, (session, name) => session.newsletters.demote(newsletter, name));
  }

  /** To an admin. The account stays one. */
  changeOwner(whose: Whose, newsletter: Jid, number: string): Promise<Identity> {
    return this.#change(whose, number, (session, name) => session.newsletters.changeOwner(newsletter, name));
  }

  async #change(
    whose: Whose,
    number: string,
    call: (session: WhatsAppSession, name: Jid) => Promise<void>,
  ): Promise<Identity> {
    const { session, person } = await this.#meant(whose, number);
    await onSession(() => call(session, nameFor(person)));
    return person;
  }

  /** Throws VALIDATION_ERROR for what is no person, NOT_ON_WHATSAPP. */
  async #meant(whose: Whose, number: string) {
    const { session, device } = await this.#open(whose);
    const person = await personMeant(this.#parts.recipients, session, device, { number });
    return { session, device, person };
  }

  async #open({ caller, deviceId }: Whose) {
    const { devices } = this.#parts;
    const device = await devices.resolve(caller, deviceId);
    return { device, session: devices.session(device) };
  }
}

/** WhatsApp names the followers of a channel by LID, where there is one (zapo spec/mex FetchNewsletterPendingInvites). */
function nameFor({ jid, lid }: Identity): Jid {
  return lid ?? jid ?? '';
}
