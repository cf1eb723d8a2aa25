/** Groups: what each account knows of them, kept up with what WhatsApp tells. */
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { SessionReports } from '../devices/composition.ts';
import type { NoticeEvents } from '../events/notice-events.ts';
import type { MessageDevice } from '../messages/stored-message.ts';
import type { Log } from '../observability/log.ts';
import type { OutboundMediaSource } from '../sending/outbound-media.ts';
import type { Sending } from '../sending/pipeline.ts';
import type { Recipients } from '../sending/recipients.ts';
import type { Step } from '../steps.ts';
import type { Database } from '../storage/schema.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';
import { Communities } from './communities.ts';
import { GroupChanging } from './group-changing.ts';
import { keepGroupNotice } from './group-keeper.ts';
import { GroupPictures } from './group-pictures.ts';
import { GroupRefresh } from './group-refresh.ts';
import { GroupStore } from './group-store.ts';
import { type GroupDevices, Groups } from './groups.ts';
import { GroupsOnConnect } from './groups-on-connect.ts';
import { GroupJoining, type JoiningParts } from './joining.ts';
import { MembersChanging } from './members-changing.ts';
import { keepHistoricMembers, keepPastMembers, PastMembers } from './past-members.ts';

export interface GroupsRoom {
  groups: Groups;
  members: MembersChanging;
  changing: GroupChanging;
  pictures: GroupPictures;
  joining: GroupJoining;
  communities: Communities;
  pastMembers: PastMembers;
  store: GroupStore;
  reports: Pick<SessionReports, 'groupsChanged' | 'pastMembers'>;
  /** Asks for all groups of devices that connect. */
  onConnect: Step;
}

export function composeGroups(parts: {
  db: Kysely<Database>;
  clock: Clock;
  log: Log;
  notices: NoticeEvents;
  recipients: Recipients;
  sending: Sending;
  media: OutboundMediaSource;
  devices: GroupDevices & { openSession(deviceId: string): WhatsAppSession | null };
  finder: JoiningParts['finder'];
  /** Hears of each device that has connected. */
  onConnected(listener: (device: MessageDevice) => void): void;
}): GroupsRoom {
  const { clock, devices, notices, onConnected } = parts;
  const store = new GroupStore(parts.db);
  const refresh = new GroupRefresh(parts);
  notices.keep(async (trx, device, notice) => {
    if (notice.name !== 'group.info' && notice.name !== 'group.joined') return;
    refresh.changed(device.id, notice.group);
    await keepGroupNotice(trx, device, notice, clock.now());
    if (notice.name === 'group.info') await keepPastMembers(trx, device, notice);
  });
  const following = new GroupsOnConnect({ ...parts, store, refresh });
  onConnected((device) => following.connected(device));
  const groups = new Groups({ devices, store, refresh });
  const members = new MembersChanging({ ...parts, groups, store, refresh });
  const changing = new GroupChanging({ devices, refresh, groups, members, store, clock });
  return {
    groups,
    members,
    changing,
    pictures: new GroupPictures({ devices, groups, media: parts.media }),
    joining: new GroupJoining({ ...parts, groups }),
    communities: new Communities({ devices, groups, changing, members }),
    pastMembers: new PastMembers({ db: parts.db, devices, groups }),
    store,
    reports: {
      groupsChanged: (device) => following.changed(device),
      pastMembers: (device, group, members) => keepHistoricMembers(parts.db, device, group, members),
    },
    onConnect: { name: 'groups on connect', start: () => undefined, stop: () => following.stop() },
  };
}
