import type { BinaryNode } from 'baileys';
import type { Delivery } from '../delivery/delivery.ts';
import type { Account } from '../state/directory.ts';
import { alternateJid, jidIn } from '../state/jid.ts';
import { type StanzaAttributes, stanza, timestamp } from '../wire/stanza.ts';
import type { Group } from './group.ts';
import { groupStanza } from './metadata.ts';

/** One child of a `w:gp2` notification. */
export interface GroupChange {
  readonly tag: string;
  readonly attrs?: StanzaAttributes;
  readonly content?: BinaryNode['content'];
}

/** An affected member in an `add`, `remove`, `promote` or `demote`. */
export function participantStanza(group: Group, account: Account): BinaryNode {
  const mode = group.addressingMode;
  const alternate = mode === 'lid' ? 'phone_number' : 'lid';
  return stanza('participant', {
    jid: jidIn(mode, account),
    [alternate]: alternateJid(mode, account),
    type: group.participants.get(account.user)?.role,
  });
}

/** Who changed a group, and the accounts that are told. */
interface GroupNews {
  readonly actor: Account;
  readonly audience: readonly Account[];
}

/**
 * `<notification type="w:gp2">` to every device of the audience, the actor as `participant` (whatsmeow
 * group.go parseGroupChange). Queues are per device, so each stanza has the same id.
 */
export function notifyGroup(
  delivery: Delivery,
  group: Group,
  { actor, audience, change }: GroupNews & { readonly change: GroupChange },
): void {
  const mode = group.addressingMode;
  const alternate = mode === 'lid' ? 'participant_pn' : 'participant_lid';
  const notification = stanza(
    'notification',
    {
      from: group.jid,
      type: 'w:gp2',
      id: delivery.nextId(),
      participant: jidIn(mode, actor),
      [alternate]: alternateJid(mode, actor),
      addressing_mode: mode,
      notify: actor.name,
      t: timestamp(),
    },
    [stanza(change.tag, change.attrs, change.content)],
  );
  for (const account of audience) {
    for (const device of account.devices.values()) delivery.post(device, notification);
  }
}

/** Tells accounts of a group they are in now: made (`type="new"`) or joined (`reason`). */
export function notifyCreated(
  delivery: Delivery,
  group: Group,
  { attrs, ...news }: GroupNews & { readonly attrs: StanzaAttributes },
): void {
  notifyGroup(delivery, group, { ...news, change: { tag: 'create', attrs, content: [groupStanza(group)] } });
}
