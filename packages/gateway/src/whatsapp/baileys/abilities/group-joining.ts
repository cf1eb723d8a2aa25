/** Coming into groups, and who asks to. */
import { AnswerUnreadable, RequestRefused } from '../../port/errors.ts';
import type {
  DecidedJoin,
  GroupInvitation,
  JoinRequest,
  SessionGroupJoining,
} from '../../port/group-joining.ts';
import type { Jid } from '../../port/identity.ts';
import type { Link } from '../connection/link.ts';
import { type BinaryNode, getBinaryNodeChild, getBinaryNodeChildren } from '../library.ts';
import { GROUPS, groupQuery } from '../outbound/group-query.ts';
import { groupInfo, groupJid, memberNames } from '../parse/group-node.ts';
import { joinRequestMethod } from '../parse/join-request.ts';
import type { LidDirectory } from '../parse/message-source.ts';
import { stampedTime } from '../parse/stamped-time.ts';

/** The code of one of several that was done: the server gives none. */
const DONE = 200;

export interface GroupCallParts {
  link: Link;
  /** Who is who, by what is stored. */
  names: LidDirectory;
}

export function groupJoining({ link, names }: GroupCallParts): SessionGroupJoining {
  const info = (answer: BinaryNode) => groupInfo(childOf(answer, 'group'), names);
  return {
    preview: (code) =>
      link.ask(async (socket) => info(await groupQuery(socket, GROUPS, 'get', byCode(code)))),

    // whatsmeow group.go GetGroupInfoFromInvite
    previewInvitation: (invitation) =>
      link.ask(async (socket) => {
        const content = [{ tag: 'add_request', attrs: invitationAttrs(invitation) }];
        const command = { tag: 'query', attrs: {}, content };
        return info(await groupQuery(socket, invitation.group, 'get', command));
      }),

    // whatsmeow group.go JoinGroupWithLink: where admins approve, the group is named in another element.
    join: (code) =>
      link.ask(async (socket) => {
        const answer = await groupQuery(socket, GROUPS, 'set', byCode(code));
        const waits = getBinaryNodeChild(answer, 'membership_approval_request');
        const { attrs } = waits ?? childOf(answer, 'group');
        return { group: groupJid(attrs.jid ?? attrs.id), pending: waits !== undefined };
      }),

    // WhatsApp Web WAWebGroupInviteV4Job: the answer to an invitation may be that the admins decide, too.
    accept: (invitation) =>
      link.ask(async (socket) => {
        const command = { tag: 'accept', attrs: invitationAttrs(invitation) };
        const answer = await groupQuery(socket, invitation.group, 'set', command);
        const waits = getBinaryNodeChild(answer, 'membership_approval_request');
        return { group: invitation.group, pending: waits !== undefined };
      }),

    joinRequests: (group) =>
      link.ask(async (socket) => {
        const tag = 'membership_approval_requests';
        const answer = await groupQuery(socket, group, 'get', { tag, attrs: {} });
        const waiting = getBinaryNodeChildren(childOf(answer, tag), 'membership_approval_request');
        return Promise.all(waiting.map((each) => joinRequest(each, names)));
      }),

    decideJoins: (group, decision, people) =>
      link.ask(async (socket) => {
        const tag = 'membership_requests_action';
        const action = { tag: decision, attrs: {}, content: participants(people) };
        const answer = await groupQuery(socket, group, 'set', { tag, attrs: {}, content: [action] });
        return decidedJoins(childOf(childOf(answer, tag), decision), names);
      }),
  };
}

function participants(people: readonly Jid[]): BinaryNode[] {
  return people.map((jid) => ({ tag: 'participant', attrs: { jid } }));
}

/** `<participant jid error>`: what became of each (whatsmeow group.go parseParticipant). */
function decidedJoins(list: BinaryNode, names: LidDirectory): Promise<DecidedJoin[]> {
  return Promise.all(
    getBinaryNodeChildren(list, 'participant').map(async ({ attrs }) => ({
      ...(await memberNames(attrs, names)),
      code: Number(attrs.error ?? DONE),
    })),
  );
}

/** Throws for an answer that lacks what it is about; that is no refusal, and nothing is known of what was done. */
export function childOf(answer: BinaryNode, tag: string): BinaryNode {
  const child = getBinaryNodeChild(answer, tag);
  if (!child) throw new AnswerUnreadable(`<${tag}>`);
  return child;
}

/** Fails as the whole request would where the server refuses one of a list with a single entry. */
export function assertTaken({ attrs }: BinaryNode): void {
  if (attrs.error !== undefined) throw new RequestRefused(Number(attrs.error), 'WhatsApp refused the group');
}

function byCode(code: string): BinaryNode {
  return { tag: 'invite', attrs: { code } };
}

function invitationAttrs({ code, expiration, inviter }: GroupInvitation): Record<string, string> {
  return { code, expiration: String(expiration), admin: inviter };
}

async function joinRequest({ attrs }: BinaryNode, names: LidDirectory): Promise<JoinRequest> {
  return {
    who: await memberNames(attrs, names),
    name: attrs.jid ?? '',
    method: joinRequestMethod(attrs),
    requestedAt: stampedTime(attrs.request_time),
  };
}
