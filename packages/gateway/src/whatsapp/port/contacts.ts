import type { Identity, Jid } from './identity.ts';
import type { Route } from './route.ts';

export interface NumberLookup {
  /** As asked: digits. */
  number: string;
  exists: boolean;
  jid: Jid | null;
  lid: Jid | null;
}

/** Numbers of one look-up. The server names no limit; an app that syncs an address book asks for some hundreds. */
export const MOST_LOOKED_UP = 200;

/** What WhatsApp says of a person. What the person does not show is null. */
export interface ContactProfile {
  /** Null when it is empty or not shown. */
  about: string | null;
  /** Milliseconds; null when it is not told. */
  aboutSetAt: number | null;
  pictureId: string | null;
  /** Their devices, with the device part for companions: `5511…:3@s.whatsapp.net`. */
  devices: Jid[];
  lid: Jid | null;
  /** Set for a business. */
  verifiedName: VerifiedName | null;
  business: BusinessProfile | null;
}

/** The name of a business, as its certificate has it (whatsmeow types/user.go VerifiedName). */
export interface VerifiedName {
  name: string | null;
  issuer: string | null;
  /** Decimal. */
  serial: string | null;
  /** Seconds; null when it is not said. */
  issuedAt: number | null;
  /** The encoded parts of the certificate. */
  details: Uint8Array;
  signature: Uint8Array | null;
  serverSignature: Uint8Array | null;
  /** WhatsApp's word: `unknown`, `low`, `high`. */
  level: string;
  version: number;
  hostStorage: number;
  actualActors: number;
  /** Milliseconds; null when it is not said. */
  privacyModeAt: number | null;
}

export interface BusinessProfile {
  jid: Jid | null;
  address: string;
  email: string;
  description: string;
  websites: string[];
  categories: { id: string; name: string }[];
  /** Further settings, by WhatsApp's names. */
  options: Record<string, string>;
  timezone: string;
  /** Times in minutes since midnight, as WhatsApp writes them. */
  hours: { day: string; mode: string; open: string; close: string }[];
}

/** Where a picture is. */
export interface PictureInfo {
  id: string;
  /** `image` or `preview`. */
  type: string;
  url: string;
  directPath: string;
  /** The way there, which is the session's own; null: directly. */
  route: Route | null;
}

export interface PictureQuestion {
  /** A person, or a group. */
  target: Identity;
  /** The small one. */
  preview: boolean;
  /** The picture that is known already. */
  existingId?: string | undefined;
}

/** Who is on WhatsApp, and what they show of themselves. */
export interface SessionContacts {
  /**
   * Asks the server which numbers are registered, in one question: at most `MOST_LOOKED_UP`. A number of which it
   * says nothing is left out.
   */
  lookUpNumbers(numbers: readonly string[]): Promise<NumberLookup[]>;
  /** Both names of people, as far as the session has learnt them; asks nobody. */
  namesOf(people: readonly Jid[]): Promise<Identity[]>;
  /** Null: WhatsApp knows nobody by that name. */
  profile(person: Identity): Promise<ContactProfile | null>;
  /**
   * Null: it is still the one that is known. Refused with 404 when there is none, and with 401 when it is not shown to
   * this account.
   */
  picture(question: PictureQuestion): Promise<PictureInfo | null>;
}
