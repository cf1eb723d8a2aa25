/**
 * The port: what a linked WhatsApp device can do and what it reports, in our own terms.
 * `whatsapp/baileys/` implements it; another engine would be another folder beside it.
 *
 * Each ability has a file here, with what it takes and gives, and one of the same name in
 * `whatsapp/baileys/abilities/`. What a session reports is in `events.ts` and `notices.ts`.
 */
import type { SessionAccount } from './account.ts';
import type { SessionBlockList } from './block-list.ts';
import type { SessionBusiness } from './business.ts';
import type { SessionCalls } from './calls.ts';
import type { SessionCommunities } from './communities.ts';
import type { SessionConnection } from './connection.ts';
import type { SessionContacts } from './contacts.ts';
import type { CredentialStore } from './credentials.ts';
import type { SessionReporter } from './events.ts';
import type { SessionGroupJoining } from './group-joining.ts';
import type { SessionGroups } from './groups.ts';
import type { SessionHistory } from './history.ts';
import type { Identity } from './identity.ts';
import type { SessionMedia } from './media.ts';
import type { InboundMessage, SessionMessages } from './messages.ts';
import type { SessionNewsletters } from './newsletters.ts';
import type { SessionPairing } from './pairing.ts';
import type { SessionPasskey } from './passkey.ts';
import type { SessionPresence } from './presence.ts';
import type { SessionProfile } from './profile.ts';
import type { SessionReceipts } from './receipts.ts';
import type { Route } from './route.ts';
import type { SessionStories } from './stories.ts';

/** What a session can do, by ability. Every call throws a `SessionError` (`errors.ts`) and nothing else. */
export interface SessionAbilities {
  readonly pairing: SessionPairing;
  readonly passkey: SessionPasskey;
  readonly messages: SessionMessages;
  readonly receipts: SessionReceipts;
  readonly media: SessionMedia;
  readonly calls: SessionCalls;
  readonly profile: SessionProfile;
  readonly groups: SessionGroups;
  readonly groupJoining: SessionGroupJoining;
  readonly communities: SessionCommunities;
  readonly contacts: SessionContacts;
  readonly blockList: SessionBlockList;
  readonly presence: SessionPresence;
  readonly account: SessionAccount;
  readonly history: SessionHistory;
  readonly newsletters: SessionNewsletters;
  readonly stories: SessionStories;
  readonly business: SessionBusiness;
}

/** One connection of a device, from `start` to its end. */
export interface WhatsAppSession extends SessionConnection, SessionAbilities {}

export interface SessionParts {
  /** For logs and for the credential store. */
  deviceId: string;
  credentials: CredentialStore;
  report: SessionReporter;
  /** The way of everything that the session sends, files included; null: directly. */
  route: Route | null;
  /**
   * The encoded message that the account sent to that chat and that still stands, so that a recipient's retry
   * receipt can be answered; null for any other chat, for a message that was revoked, and for a story that is not
   * for the one who asks.
   */
  loadSentMessage(chat: Identity, messageId: string, asker: Identity): Promise<Uint8Array | null>;
  /** Whether others may learn what is read here, beside the account's own setting; default: yes. */
  showsReading?(): Promise<boolean>;
  /** Whether the device may be shown as online; default: yes. */
  mayAppear?(): Promise<boolean>;
  /** Whether the message is stored, and could be read: its ciphertext cannot be opened twice. */
  hasReceived(
    message: Pick<InboundMessage, 'id' | 'chat' | 'sender' | 'fromMe' | 'content'>,
  ): Promise<boolean>;
}

export type SessionFactory = (parts: SessionParts) => Promise<WhatsAppSession>;
