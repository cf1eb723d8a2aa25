/** What the account shows of itself, and to whom. */

/** Each setting with what WhatsApp accepts for it (whatsmeow types/user.go PrivacySettingType, Baileys Types/Chat). */
export const PRIVACY_SETTINGS = {
  groupadd: ['all', 'contacts', 'contact_blacklist', 'none'],
  last: ['all', 'contacts', 'contact_blacklist', 'none'],
  status: ['all', 'contacts', 'contact_blacklist', 'none'],
  profile: ['all', 'contacts', 'contact_blacklist', 'none'],
  readreceipts: ['all', 'none'],
  calladd: ['all', 'known'],
  online: ['all', 'match_last_seen'],
  messages: ['all', 'contacts'],
  defense: ['on_standard', 'off'],
  stickers: ['contacts', 'contact_allowlist', 'none'],
} as const;

export type PrivacySetting = keyof typeof PRIVACY_SETTINGS;
export const PRIVACY_NAMES = Object.keys(PRIVACY_SETTINGS) as PrivacySetting[];

/** Where the account's picture is. */
export interface OwnPicture {
  id: string;
  /** `image` or `preview`. */
  type: string;
  url: string;
}

export interface OwnAbout {
  text: string;
  /** Milliseconds; null when it is not told. */
  setAt: number | null;
}

/** The longest name and about text that the apps take, in characters. */
export const LONGEST_NAME = 25;
export const LONGEST_ABOUT = 139;

export interface DefaultTimer {
  /** 0: never. */
  seconds: number;
  /** Milliseconds: when it was set; null when that is not told. */
  setAt: number | null;
}

export interface SessionProfile {
  /** By WhatsApp's names; one that the server does not tell is missing. */
  privacy(): Promise<Partial<Record<PrivacySetting, string>>>;
  setPrivacy(setting: PrivacySetting, value: string): Promise<void>;
  /** The id of the new picture. */
  setPicture(jpeg: Uint8Array): Promise<string>;
  removePicture(): Promise<void>;
  /** Null when there is none. */
  picture(preview: boolean): Promise<OwnPicture | null>;
  about(): Promise<OwnAbout>;
  setAbout(text: string): Promise<void>;
  /** The name that those see who have not saved the account. */
  setName(name: string): Promise<void>;
  /** When messages of chats disappear that the account begins. */
  defaultTimer(): Promise<DefaultTimer>;
  /** The same, as it was a minute ago at most: asked for each chat that is begun. */
  recentDefaultTimer(): Promise<DefaultTimer>;
  setDefaultTimer(seconds: number): Promise<void>;
}
