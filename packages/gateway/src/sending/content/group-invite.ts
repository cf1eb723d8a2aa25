import type { Jid } from '../../whatsapp/port/identity.ts';
import { type Content, checkedOptional, LONGEST_CAPTION, withContext } from '../content.ts';

export interface GroupInviteInput {
  group: Jid;
  groupName: string;
  code: string;
  /** Milliseconds. */
  expiresAt: number;
  caption?: string | undefined;
}

/** An invitation for one person, who joins with a tap (waE2E.GroupInviteMessage). */
export function groupInviteContent(input: GroupInviteInput): Content {
  const caption = checkedOptional('caption', input.caption, LONGEST_CAPTION);
  return {
    chatState: 'composing',
    compose: async ({ contextInfo }) => ({
      kind: 'group_invite',
      text: caption ?? input.groupName,
      message: {
        groupInviteMessage: {
          groupJid: input.group,
          inviteCode: input.code,
          inviteExpiration: Math.floor(input.expiresAt / 1000),
          groupName: input.groupName,
          ...(caption ? { caption } : {}),
          ...withContext(contextInfo),
        },
      },
    }),
  };
}
