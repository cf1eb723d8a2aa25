import type { Phone } from '../phones/phone.ts';
import type { Sandbox } from '../sandbox.ts';
import {
  bytes,
  number,
  optionalFlag,
  optionalNumber,
  optionalText,
  optionalWord,
  text,
  texts,
} from './fields.ts';
import { ControlError, type JsonObject, type Router } from './router.ts';

/** What `GET /` says of these routes. */
export const GROUP_OPERATIONS = [
  'POST /groups {by, subject, members, community?: bool, parent?}',
  'GET /groups/{jid}?by=',
  'POST /groups/{jid}/members {by, change: add|remove|promote|demote, members}',
  'PATCH /groups/{jid} {by, subject?, description?, announcement?, locked?, ephemeral?, approval?, addMode?, picture?: base64|null}',
  'POST /groups/{jid}/join {by, code}',
  'POST /groups/{jid}/leave {by}',
  'POST /groups/{jid}/invite {by}',
  'POST /groups/{jid}/accept {by, code, expiration, admin}',
  'GET /groups/{jid}/requests?by=',
  'POST /groups/{jid}/requests {by, decision: approve|reject, members}',
  'POST /groups/{jid}/links {by, groups}',
  'POST /groups/{jid}/limit {members}',
] as const;

/** Groups and communities, as the phones in them change them. */
export function addGroups(
  router: Router,
  sandbox: Sandbox,
  phoneOf: (given: string | undefined) => Phone,
): void {
  const by = (body: JsonObject) => phoneOf(text(body, 'by'));
  const asked = (query: URLSearchParams) => phoneOf(query.get('by') ?? undefined);
  const at = ({ jid = '' }: Readonly<Record<string, string>>) => ({ jid });
  router
    .on('POST', '/groups', ({ body }) => {
      const [phone, subject, members] = [by(body), text(body, 'subject'), texts(body, 'members')];
      const parent = optionalText(body, 'parent');
      if (optionalFlag(body, 'community')) return phone.createCommunity(subject, members);
      if (parent !== undefined) return phone.createGroupIn({ jid: parent }, subject, members);
      return phone.createGroup(subject, members);
    })
    .on('GET', '/groups/{jid}', ({ params, query }) => asked(query).groupInfo(at(params)))
    .on('POST', '/groups/{jid}/members', async ({ params, body }) => {
      const phone = by(body);
      const members = texts(body, 'members');
      const change = optionalWord(body, 'change', ['add', 'remove', 'promote', 'demote']) ?? 'add';
      if (change === 'add') return { results: await phone.addToGroup(at(params), ...members) };
      if (change === 'remove') return { results: await phone.removeFromGroup(at(params), ...members) };
      return { results: await phone[change](at(params), ...members) };
    })
    .on('PATCH', '/groups/{jid}', ({ params, body }) => changeGroup(by(body), at(params), body))
    .on('POST', '/groups/{jid}/join', ({ body }) => by(body).joinGroup(text(body, 'code')))
    .on('POST', '/groups/{jid}/leave', ({ params, body }) => by(body).leaveGroup(at(params)))
    .on('POST', '/groups/{jid}/invite', async ({ params, body }) => ({
      code: await by(body).resetGroupInvite(at(params)),
    }))
    .on('POST', '/groups/{jid}/accept', ({ params, body }) =>
      by(body).acceptGroupInvitation({
        group: at(params).jid,
        code: text(body, 'code'),
        expiration: number(body, 'expiration'),
        admin: text(body, 'admin'),
      }),
    )
    .on('GET', '/groups/{jid}/requests', async ({ params, query }) => ({
      requests: await asked(query).joinRequests(at(params)),
    }))
    .on('POST', '/groups/{jid}/requests', async ({ params, body }) => {
      const members = texts(body, 'members');
      const reject = optionalWord(body, 'decision', ['approve', 'reject']) === 'reject';
      const phone = by(body);
      const decide = reject
        ? phone.rejectJoins(at(params), ...members)
        : phone.approveJoins(at(params), ...members);
      return { results: await decide };
    })
    .on('POST', '/groups/{jid}/links', async ({ params, body }) => {
      const groups = texts(body, 'groups').map((jid) => ({ jid }));
      return { refused: Object.fromEntries(await by(body).linkGroups(at(params), ...groups)) };
    })
    .on('POST', '/groups/{jid}/limit', ({ params, body }) =>
      sandbox.faults.limitMembers(at(params).jid, number(body, 'members')),
    );
}

async function changeGroup(phone: Phone, group: { jid: string }, body: JsonObject): Promise<void> {
  const subject = optionalText(body, 'subject');
  const announcement = optionalFlag(body, 'announcement');
  const locked = optionalFlag(body, 'locked');
  const ephemeral = optionalNumber(body, 'ephemeral');
  const approval = optionalFlag(body, 'approval');
  const addMode = optionalWord(body, 'addMode', ['admin_add', 'all_member_add']);
  if (subject !== undefined) await phone.setGroupSubject(group, subject);
  if (body.description !== undefined) {
    if (typeof body.description !== 'string') throw new ControlError(400, 'description: a text is needed');
    await phone.setGroupDescription(group, body.description);
  }
  if (announcement !== undefined) {
    await phone.setGroupSetting(group, announcement ? 'announcement' : 'not_announcement');
  }
  if (locked !== undefined) await phone.setGroupSetting(group, locked ? 'locked' : 'unlocked');
  if (ephemeral !== undefined) await phone.setGroupEphemeral(group, ephemeral);
  if (approval !== undefined) await phone.setGroupApproval(group, approval);
  if (addMode !== undefined) await phone.setGroupAddMode(group, addMode);
  if (body.picture === null) await phone.removePicture(group);
  else if (body.picture !== undefined) await phone.setPicture(bytes(body, 'picture'), group);
}
