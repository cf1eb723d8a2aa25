import { type Broadcast, isBroadcastList } from '../../port/broadcasts.ts';
import type { Identity, Jid } from '../../port/identity.ts';
import {
  type BinaryNode,
  isJidBroadcast,
  isJidGroup,
  isJidNewsletter,
  isLidUser,
  isPnUser,
  jidNormalizedUser,
} from '../library.ts';

/** Looks up the other name of a person; null when it is not known. */
export interface LidDirectory {
  getLIDForPN(pn: string): Promise<string | null>;
  getPNForLID(lid: string): Promise<string | null>;
}

/** Under which names our own account appears. */
export interface OwnAccount {
  jid: Jid;
  lid: Jid | null;
}

export interface MessageSourceInfo {
  chat: Identity;
  isGroup: boolean;
  sender: Identity;
  fromMe: boolean;
  /** The other side, in a group the author, was named by LID. */
  lidAddressed: boolean;
  /** It was sent to a broadcast list. */
  broadcast: Broadcast | null;
}

/**
 * Who wrote a stanza, and where. The attributes are those of whatsmeow `parseMessageSource`:
 * groups name the author in `participant` with the other name in `participant_pn` / `participant_lid`;
 * one-to-one stanzas in `from` with `sender_pn` / `sender_lid`; what our own other devices sent carries the
 * chat in `recipient` with `peer_recipient_pn` / `peer_recipient_lid`. What somebody sent to a broadcast list comes
 * from the list as from a group, and is a message of the chat with that person (`IsIncomingBroadcast` there; Baileys
 * process-message.ts getChatId; mautrix-whatsapp issues 411 and 877).
 */
export async function messageSource(
  stanza: BinaryNode,
  own: OwnAccount,
  directory: LidDirectory,
): Promise<MessageSourceInfo> {
  const attrs = stanza.attrs;
  const from = attrs.from ?? '';
  if (isJidGroup(from) || isJidBroadcast(from)) {
    const participant = attrs.participant ?? '';
    const sender = await identity(participant, attrs.participant_pn ?? attrs.participant_lid, directory);
    const fromMe = isOwn(sender, own);
    const broadcast = isBroadcastList(from) ? { list: from } : null;
    return {
      chat: broadcast && !fromMe && participant ? sender : { jid: from, lid: null },
      isGroup: !!isJidGroup(from),
      sender,
      fromMe,
      lidAddressed: isLid(participant),
      broadcast,
    };
  }
  if (isJidNewsletter(from)) {
    const chat = { jid: from, lid: null };
    // A post of the account, from another of its devices (zapo message/kinds/newsletter.ts); of others no post says
    // who of those that run the channel wrote it.
    const fromMe = attrs.is_sender === 'true';
    const sender = fromMe ? { ...own } : chat;
    return { chat, isGroup: false, sender, fromMe, lidAddressed: false, broadcast: null };
  }
  const recipient = attrs.recipient;
  if (recipient) {
    const alt =
      attrs.peer_recipient_pn ?? attrs.peer_recipient_lid ?? attrs.recipient_pn ?? attrs.recipient_lid;
    const chat = await identity(recipient, alt, directory);
    const lidAddressed = isLid(recipient);
    const isGroup = !!isJidGroup(recipient);
    return { chat, isGroup, sender: { ...own }, fromMe: true, lidAddressed, broadcast: null };
  }
  const sender = await identity(from, attrs.sender_pn ?? attrs.sender_lid, directory);
  const lidAddressed = isLid(from);
  const fromMe = isOwn(sender, own);
  return { chat: sender, isGroup: false, sender, fromMe, lidAddressed, broadcast: null };
}

/** Both names of a person, from a JID, what the stanza says beside it, and what we learnt before. */
export async function identity(
  jid: string,
  alt: string | undefined,
  directory: LidDirectory,
): Promise<Identity> {
  const named: Identity = { jid: null, lid: null };
  for (const each of [jid, alt]) {
    if (!each) continue;
    const bare = accountJid(each);
    if (isLidUser(bare)) named.lid ??= bare;
    else named.jid ??= bare;
  }
  if (named.lid && !named.jid) named.jid = bareOrNull(await directory.getPNForLID(named.lid));
  else if (named.jid && isPnUser(named.jid) && !named.lid)
    named.lid = bareOrNull(await directory.getLIDForPN(named.jid));
  return named;
}

/**
 * The account that the JID of one of its devices is of. Those of a business that Meta hosts (its companion 99) have
 * servers of their own (whatsmeow types/jid.go, message.go parseMessageSource).
 */
export function accountJid(jid: string): Jid {
  return jidNormalizedUser(jid)
    .replace(/@hosted$/, '@s.whatsapp.net')
    .replace(/@hosted\.lid$/, '@lid');
}

const isLid = (jid: string): boolean => isLidUser(accountJid(jid)) === true;

/** Compares people by any name that both sides have. */
export function isOwn(who: Identity, own: OwnAccount): boolean {
  return (who.jid !== null && who.jid === own.jid) || (who.lid !== null && who.lid === own.lid);
}

function bareOrNull(jid: string | null): Jid | null {
  return jid ? accountJid(jid) : null;
}
