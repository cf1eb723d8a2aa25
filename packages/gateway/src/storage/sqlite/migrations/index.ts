import type { Migration } from 'kysely';
import * as initial from './0001-initial.ts';
import * as events from './0002-events.ts';
import * as messageTargets from './0003-message-targets.ts';
import * as mediaAddressing from './0008-media-addressing.ts';
import * as messageMarks from './0009-message-marks.ts';
import * as sendJobs from './0012-send-jobs.ts';
import * as findingMessages from './0013-finding-messages.ts';
import * as messageSearch from './0014-message-search.ts';
import * as deviceLimits from './0015-device-limits.ts';
import * as narrowLookups from './0016-narrow-lookups.ts';
import * as claims from './0017-claims.ts';
import * as messageAccounts from './0018-message-accounts.ts';
import * as journalSetAside from './0019-journal-set-aside.ts';
import * as pollOptions from './0020-poll-options.ts';
import * as jobsOfADevice from './0021-jobs-of-a-device.ts';
import * as webhookGenerations from './0022-webhook-generations.ts';
import * as laneNames from './0023-lane-names.ts';
import * as searchFollowsResends from './0024-search-follows-resends.ts';
import * as waitingJobs from './0025-waiting-jobs.ts';
import * as encryptionKey from './0026-encryption-key.ts';
import * as sealedEvents from './0027-sealed-events.ts';
import * as searchFollowsChats from './0028-search-follows-chats.ts';
import * as chatTimers from './0030-chat-timers.ts';
import * as sharesAndLeaving from './0032-shares-and-leaving.ts';
import * as setAside from './0033-set-aside.ts';
import * as claimsOfOpenJobs from './0036-claims-of-open-jobs.ts';
import * as groups from './0037-groups.ts';
import * as groupPastMembers from './0040-group-past-members.ts';
import * as chats from './0042-chats.ts';
import * as chatsOfMessages from './0043-chats-of-messages.ts';
import * as blockLists from './0046-block-lists.ts';
import * as contacts from './0047-contacts.ts';
import * as labels from './0050-labels.ts';
import * as proxies from './0052-proxies.ts';
import * as calls from './0053-calls.ts';
import * as deviceSettings from './0054-device-settings.ts';
import * as stories from './0056-stories.ts';
import * as sendersByLid from './0060-senders-by-lid.ts';

/** In order of their names; one that was released is never changed, only followed. */
export const migrations: Record<string, Migration> = {
  '0001-initial': initial,
  '0002-events': events,
  '0003-message-targets': messageTargets,
  '0008-media-addressing': mediaAddressing,
  '0009-message-marks': messageMarks,
  '0012-send-jobs': sendJobs,
  '0013-finding-messages': findingMessages,
  '0014-message-search': messageSearch,
  '0015-device-limits': deviceLimits,
  '0016-narrow-lookups': narrowLookups,
  '0017-claims': claims,
  '0018-message-accounts': messageAccounts,
  '0019-journal-set-aside': journalSetAside,
  '0020-poll-options': pollOptions,
  '0021-jobs-of-a-device': jobsOfADevice,
  '0022-webhook-generations': webhookGenerations,
  '0023-lane-names': laneNames,
  '0024-search-follows-resends': searchFollowsResends,
  '0025-waiting-jobs': waitingJobs,
  '0026-encryption-key': encryptionKey,
  '0027-sealed-events': sealedEvents,
  '0028-search-follows-chats': searchFollowsChats,
  '0030-chat-timers': chatTimers,
  '0032-shares-and-leaving': sharesAndLeaving,
  '0033-set-aside': setAside,
  '0036-claims-of-open-jobs': claimsOfOpenJobs,
  '0037-groups': groups,
  '0040-group-past-members': groupPastMembers,
  '0042-chats': chats,
  '0043-chats-of-messages': chatsOfMessages,
  '0046-block-lists': blockLists,
  '0047-contacts': contacts,
  '0050-labels': labels,
  '0052-proxies': proxies,
  '0053-calls': calls,
  '0054-device-settings': deviceSettings,
  '0056-stories': stories,
  '0060-senders-by-lid': sendersByLid,
};
