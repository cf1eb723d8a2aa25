/**
 * A double for each part of a session, which does nothing: a test's session is these, and the parts that
 * the test speaks through. A new ability of the port gets its double here.
 */
import type { SessionAccount } from '../../src/whatsapp/port/account.ts';
import type { SessionBlockList } from '../../src/whatsapp/port/block-list.ts';
import type { SessionBusiness } from '../../src/whatsapp/port/business.ts';
import type { SessionCalls } from '../../src/whatsapp/port/calls.ts';
import type { SessionCommunities } from '../../src/whatsapp/port/communities.ts';
import type { SessionContacts } from '../../src/whatsapp/port/contacts.ts';
import { SessionNotOpen } from '../../src/whatsapp/port/errors.ts';
import type { SessionGroupJoining } from '../../src/whatsapp/port/group-joining.ts';
import type { SessionGroups } from '../../src/whatsapp/port/groups.ts';
import type { SessionHistory } from '../../src/whatsapp/port/history.ts';
import type { SessionMedia } from '../../src/whatsapp/port/media.ts';
import type { SessionMessages } from '../../src/whatsapp/port/messages.ts';
import type { SessionNewsletters } from '../../src/whatsapp/port/newsletters.ts';
import type { SessionPairing } from '../../src/whatsapp/port/pairing.ts';
import type { SessionPasskey } from '../../src/whatsapp/port/passkey.ts';
import type { SessionPresence } from '../../src/whatsapp/port/presence.ts';
import type { SessionProfile } from '../../src/whatsapp/port/profile.ts';
import type { SessionReceipts } from '../../src/whatsapp/port/receipts.ts';
import type { SessionAbilities, WhatsAppSession } from '../../src/whatsapp/port/session.ts';
import type { SessionStories } from '../../src/whatsapp/port/stories.ts';

const done = () => Promise.resolve();
const notOpen = () => Promise.reject(new SessionNotOpen());

export const idlePairing: SessionPairing = { requestCode: () => Promise.resolve('ABCD1234') };
export const idlePasskey: SessionPasskey = { answer: notOpen, confirm: notOpen };
export const idleMessages: SessionMessages = { newId: () => '3EB0', send: notOpen, requestRetry: done };
export const idleReceipts: SessionReceipts = { send: done };
export const idleMedia: SessionMedia = { connection: notOpen, requestReupload: done };
export const idleCalls: SessionCalls = { reject: done };
export const idleProfile: SessionProfile = {
  privacy: () => Promise.resolve({}),
  setPrivacy: done,
  setPicture: notOpen,
  removePicture: done,
  picture: () => Promise.resolve(null),
  about: () => Promise.resolve({ text: '', setAt: null }),
  setAbout: done,
  setName: done,
  defaultTimer: () => Promise.resolve({ seconds: 0, setAt: null }),
  recentDefaultTimer: () => Promise.resolve({ seconds: 0, setAt: null }),
  setDefaultTimer: done,
};
export const idleGroups: SessionGroups = {
  members: () => Promise.resolve([]),
  timer: () => Promise.resolve(0),
  info: notOpen,
  joined: notOpen,
  joinedStored: done,
  create: notOpen,
  changeMembers: notOpen,
  change: notOpen,
  inviteCode: notOpen,
  leave: notOpen,
  setPicture: notOpen,
};
export const idleContacts: SessionContacts = {
  lookUpNumbers: () => Promise.resolve([]),
  namesOf: () => Promise.resolve([]),
  profile: () => Promise.resolve(null),
  picture: notOpen,
};
export const idleGroupJoining: SessionGroupJoining = {
  preview: notOpen,
  previewInvitation: notOpen,
  join: notOpen,
  accept: notOpen,
  joinRequests: notOpen,
  decideJoins: notOpen,
};
export const idleCommunities: SessionCommunities = {
  linkedGroups: notOpen,
  linkGroup: notOpen,
  unlinkGroup: notOpen,
};
export const idleBlockList: SessionBlockList = { read: notOpen, set: notOpen };
export const idlePresence: SessionPresence = { send: done, sendChatState: done, subscribe: done };
export const idleAccount: SessionAccount = { sync: done, change: done };
export const idleHistory: SessionHistory = { request: done };

export const idleNewsletters: SessionNewsletters = {
  list: () => Promise.resolve([]),
  find: notOpen,
  create: notOpen,
  follow: done,
  mute: done,
  posts: () => Promise.resolve([]),
  view: done,
  react: done,
  followLive: () => Promise.resolve(null),
  search: () => Promise.resolve({ newsletters: [], next: null }),
  change: done,
  remove: done,
  followers: () => Promise.resolve([]),
  invited: () => Promise.resolve([]),
  invite: () => Promise.resolve(null),
  revokeInvite: done,
  acceptInvite: done,
  demote: done,
  changeOwner: done,
};

export const idleBusiness: SessionBusiness = {
  profile: () => Promise.resolve(null),
  change: done,
  catalog: () => Promise.resolve({ items: [], next: null }),
  product: notOpen,
  collections: () => Promise.resolve({ items: [], next: null }),
  order: notOpen,
};

export const idleStories: SessionStories = { privacy: () => Promise.resolve([]) };

/** Every part of a session, idle but for those given. */
export function abilities(parts: Partial<SessionAbilities> = {}): SessionAbilities {
  return {
    pairing: idlePairing,
    passkey: idlePasskey,
    messages: idleMessages,
    receipts: idleReceipts,
    media: idleMedia,
    calls: idleCalls,
    profile: idleProfile,
    groups: idleGroups,
    groupJoining: idleGroupJoining,
    communities: idleCommunities,
    contacts: idleContacts,
    blockList: idleBlockList,
    presence: idlePresence,
    account: idleAccount,
    history: idleHistory,
    newsletters: idleNewsletters,
    stories: idleStories,
    business: idleBusiness,
    ...parts,
  };
}

/** A session that needs no connection, idle but for the parts given. */
export function idleSession(parts: Partial<SessionAbilities> = {}): WhatsAppSession {
  return { start: done, stop: done, logout: done, ...abilities(parts) };
}
