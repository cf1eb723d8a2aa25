/** People: who is on WhatsApp, under which names, and what is known of them. */

import type { Clock } from '../clock.ts';
import type { NoticeEvents } from '../events/notice-events.ts';
import type { MediaHttp } from '../net/media-http.ts';
import type { SendingRoom } from '../sending/composition.ts';
import type { StoredChats } from '../sending/number-look-ups.ts';
import type { SendingDevices } from '../sending/pipeline.ts';
import { NumberChecks } from './number-checks.ts';
import { PictureFiles } from './picture-files.ts';
import { Profiles } from './profiles.ts';
import { Resolving } from './resolving.ts';

export interface ContactsRoom {
  checks: NumberChecks;
  resolving: Resolving;
  profiles: Profiles;
  pictures: PictureFiles;
}

export function composeContacts(parts: {
  devices: SendingDevices;
  chats: StoredChats;
  sending: Pick<SendingRoom, 'lookUps' | 'recipients'>;
  clock: Clock;
  http: MediaHttp;
  notices: NoticeEvents;
}): ContactsRoom {
  const { devices, chats, sending } = parts;
  const { lookUps, recipients } = sending;
  const profiles = new Profiles({ devices, recipients });
  const pictures = new PictureFiles({ ...parts, profiles });
  parts.notices.keep(async (_trx, device, notice) => {
    if (notice.name === 'contact.picture') pictures.changed(device, notice.contact);
  });
  return {
    profiles,
    pictures,
    checks: new NumberChecks({ devices, lookUps }),
    resolving: new Resolving({ devices, chats, lookUps }),
  };
}
