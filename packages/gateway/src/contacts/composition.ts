/** People: who is on WhatsApp, under which names, and what is known of them. */

import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { SessionReports } from '../devices/composition.ts';
import type { Devices } from '../devices/devices.ts';
import type { NoticeEvents } from '../events/notice-events.ts';
import type { BothNamesListener } from '../messages/chat-names.ts';
import type { MediaHttp } from '../net/media-http.ts';
import type { SendingRoom } from '../sending/composition.ts';
import type { StoredChats } from '../sending/number-look-ups.ts';
import { deferred } from '../storage/database.ts';
import type { Database } from '../storage/schema.ts';
import { BlockList } from './block-list.ts';
import { applyBlockNotice } from './block-list-rows.ts';
import { forgetSaved, keepContactNotice, keepPushName } from './contact-keeper.ts';
import { joinContact } from './contact-rows.ts';
import { type CommonGroups, Contacts } from './contacts.ts';
import { NumberChecks } from './number-checks.ts';
import { PictureFiles } from './picture-files.ts';
import { ContactProfiles } from './profiles.ts';
import { Resolving } from './resolving.ts';
import { StateSync } from './state-sync.ts';

export interface ContactsRoom {
  checks: NumberChecks;
  resolving: Resolving;
  profiles: ContactProfiles;
  pictures: PictureFiles;
  blockList: BlockList;
  contacts: Contacts;
  stateSync: StateSync;
  reports: Pick<SessionReports, 'pushNames'>;
}

export function composeContacts(parts: {
  db: Kysely<Database>;
  devices: Devices;
  chats: StoredChats;
  sending: Pick<SendingRoom, 'lookUps' | 'recipients'>;
  clock: Clock;
  http: MediaHttp;
  notices: NoticeEvents;
  onBothNames(listener: BothNamesListener): void;
  groups: CommonGroups;
}): ContactsRoom {
  const { db, clock, devices, chats, sending, notices } = parts;
  const { lookUps, recipients } = sending;
  const contacts = new Contacts({ ...parts, recipients });
  const profiles = new ContactProfiles({ db, clock, devices, recipients });
  const pictures = new PictureFiles({ ...parts, profiles });
  notices.keep(async (trx, device, notice) => {
    if (notice.name === 'contact.picture') pictures.changed(device, notice.contact);
    if (notice.name === 'privacy.blocklist') await applyBlockNotice(trx, device, notice, clock.now());
    await keepContactNotice(trx, device, notice, clock.now());
  });
  parts.onBothNames((trx, device, person) => joinContact(trx, device, person, clock.now()));
  notices.forget((trx, device, collection) => forgetSaved(trx, device, collection, clock.now()));
  return {
    profiles,
    pictures,
    contacts,
    blockList: new BlockList({ db, clock, devices, recipients }),
    stateSync: new StateSync(devices),
    checks: new NumberChecks({ devices, lookUps }),
    resolving: new Resolving({ devices, chats, lookUps, contacts }),
    reports: {
      pushNames: (device, names) =>
        // Durable as a journal row until it is committed here.
        deferred(db)
          .transaction()
          .execute(async (trx) => {
            for (const each of names) await keepPushName(trx, device, each, clock.now());
          }),
    },
  };
}
