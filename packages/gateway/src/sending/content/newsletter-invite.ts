import type { Jid } from '../../whatsapp/port/identity.ts';
import { type Content, checkedOptional, LONGEST_CAPTION, withContext } from '../content.ts';

export interface NewsletterInviteInput {
  newsletter: Jid;
  name: string;
  /** Milliseconds; null when WhatsApp does not say. */
  expiresAt: number | null;
  caption?: string | undefined;
}

/** Asks one person to become an admin of a channel (waE2E.NewsletterAdminInviteMessage). */
export function newsletterInviteContent(input: NewsletterInviteInput): Content {
  const caption = checkedOptional('caption', input.caption, LONGEST_CAPTION);
  const expiration = input.expiresAt === null ? {} : { inviteExpiration: Math.floor(input.expiresAt / 1000) };
  return {
    chatState: 'composing',
    compose: async ({ contextInfo }) => ({
      kind: 'newsletter_invite',
      text: caption ?? input.name,
      message: {
        newsletterAdminInviteMessage: {
          newsletterJid: input.newsletter,
          newsletterName: input.name,
          ...expiration,
          ...(caption ? { caption } : {}),
          ...withContext(contextInfo),
        },
      },
    }),
  };
}
