/** What became of each person whom a change of members names. */
import type { MemberOutcome, MembersChange } from '../whatsapp/port/groups.ts';
import type { Identity } from '../whatsapp/port/identity.ts';

/** Why one person was refused. */
export const MEMBER_REFUSALS = [
  'NEEDS_INVITE',
  'NOT_ALLOWED',
  'NOT_ON_WHATSAPP',
  'NOT_A_MEMBER',
  'LEFT_RECENTLY',
  'ALREADY_IN_GROUP',
  'GROUP_FULL',
  'BLOCKED',
  'IS_CREATOR',
  'WAITS_FOR_APPROVAL',
  'RATE_LIMITED',
  'NO_ANSWER',
  'REFUSED',
] as const;
export type MemberRefusal = (typeof MEMBER_REFUSALS)[number];

export interface MemberResult extends Identity {
  /** As it was written in the request. */
  input: string;
  /** 200, or WhatsApp's code. */
  code: number;
  refusal: MemberRefusal | null;
  invite: MemberOutcome['invite'];
  /** The invitation that was sent instead, when that was asked for. */
  inviteSent: { messageId: string } | { error: string } | null;
  /** What they may do in the group now. */
  admin: boolean;
  superAdmin: boolean;
}

/** Codes of one person in the answer to a change; whatsapp-web.js lists those of WhatsApp Web (GroupChat.js). */
const WORDS: Readonly<Record<number, MemberRefusal>> = {
  401: 'BLOCKED',
  404: 'NOT_ON_WHATSAPP',
  406: 'IS_CREATOR',
  408: 'LEFT_RECENTLY',
  409: 'ALREADY_IN_GROUP',
  // A community's group takes in its members, and whoever opens its link.
  417: 'NEEDS_INVITE',
  419: 'GROUP_FULL',
  // A member who is no admin added them to a group whose admins decide.
  421: 'WAITS_FOR_APPROVAL',
  429: 'RATE_LIMITED',
  500: 'GROUP_FULL',
  504: 'NO_ANSWER',
};

export function refusalOf(
  change: MembersChange,
  { code, invite }: Pick<MemberOutcome, 'code' | 'invite'>,
): MemberRefusal | null {
  if (code === 200) return null;
  if (code === 403) return invite ? 'NEEDS_INVITE' : 'NOT_ALLOWED';
  if (code === 404 && change !== 'add') return 'NOT_A_MEMBER';
  return WORDS[code] ?? 'REFUSED';
}
