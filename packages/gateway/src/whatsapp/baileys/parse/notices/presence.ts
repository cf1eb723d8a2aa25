import type { SessionNotice } from '../../../port/notices.ts';
import { type BinaryNode, isJidGroup } from '../../library.ts';
import { identity, isOwn, type LidDirectory, type OwnAccount } from '../message-source.ts';
import { stampedTime } from '../stamped-time.ts';
import { participantOf } from './stanza-fields.ts';

/**
 * `<presence from type="unavailable" last>`: no type is available; `last` is in seconds, or `deny` when the
 * contact hides it (whatsmeow presence.go handlePresence). A group's presence only counts its members.
 */
export async function presenceNotices(stanza: BinaryNode, directory: LidDirectory): Promise<SessionNotice[]> {
  const { from, type, last } = stanza.attrs;
  if (!from || isJidGroup(from) || (type !== undefined && type !== 'unavailable' && type !== 'available'))
    return [];
  return [
    {
      name: 'contact.presence',
      contact: await identity(from, undefined, directory),
      state: type === 'unavailable' ? 'unavailable' : 'available',
      lastSeen: stampedTime(last),
    },
  ];
}

/**
 * `<chatstate from participant?><composing media="audio"/></chatstate>`: typing, recording, or neither any
 * more (whatsmeow presence.go handleChatState). Some clients name recording as its own child.
 */
export async function chatStateNotices(
  stanza: BinaryNode,
  own: OwnAccount,
  directory: LidDirectory,
): Promise<SessionNotice[]> {
  const { from } = stanza.attrs;
  const child = Array.isArray(stanza.content) ? stanza.content[0] : undefined;
  if (!from || !child || !['composing', 'recording', 'paused'].includes(child.tag)) return [];
  const sender = (await participantOf(stanza, directory)) ?? (await identity(from, undefined, directory));
  if (isOwn(sender, own)) return [];
  return [
    {
      name: 'chat.presence',
      chat: isJidGroup(from) ? { jid: from, lid: null } : sender,
      sender,
      state: child.tag === 'paused' ? 'paused' : 'composing',
      media: child.tag === 'recording' || child.attrs.media === 'audio' ? 'audio' : 'text',
    },
  ];
}
