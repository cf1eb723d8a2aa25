/** What people paste when they mean a group's invite: the whole link in any of its forms, its code, or a sent invitation. */
import { type AppError, invalidField } from '../errors.ts';
import { normaliseJid, serverOf } from '../identity/jid.ts';
import type { Jid } from '../whatsapp/port/identity.ts';

/** Codes of links are 22 characters today; older ones and those of single people are shorter. */
const CODE = /^[\w-]{8,64}$/;
/** Longer than any link, and short enough to be read as an address. */
const LONGEST_LINK = 300;
const HOST = 'chat.whatsapp.com';

/** How a request names an invite; every member may be missing. */
export interface InviteInput {
  link?: string | undefined;
  /** Of a link, or with `groupJid` and `inviterJid` of an invitation to one person. */
  code?: string | undefined;
  groupJid?: string | undefined;
  inviterJid?: string | undefined;
  /** Seconds since the epoch. */
  expiration?: number | undefined;
}

export type Invite =
  | { kind: 'link'; code: string }
  | {
      kind: 'invitation';
      code: string;
      group: Jid;
      inviter: Jid;
      /** Undefined: as the message says that brought it. */
      expiration: number | undefined;
    };

/** Throws VALIDATION_ERROR. */
export function readInvite(input: InviteInput): Invite {
  const { link, groupJid, inviterJid, expiration } = input;
  if (link !== undefined) {
    if (input.code !== undefined) throw invalidField('code', 'pass `link` or `code`, not both');
    return { kind: 'link', code: codeOf(link, 'link') };
  }
  if (input.code === undefined) throw invalidField('link', 'is needed, or `code`');
  const code = codeOf(input.code, 'code');
  if (groupJid === undefined && inviterJid === undefined) return { kind: 'link', code };
  if (groupJid === undefined) throw invalidField('group_jid', 'is needed with `inviter_jid`');
  if (inviterJid === undefined) throw invalidField('inviter_jid', 'is needed with `group_jid`');
  return {
    kind: 'invitation',
    code,
    group: jidOn(groupJid, ['g.us'], 'group_jid', 'a group'),
    inviter: jidOn(inviterJid, ['s.whatsapp.net', 'lid'], 'inviter_jid', 'a person'),
    expiration,
  };
}

/**
 * The code in a link: `https://chat.whatsapp.com/CODE`, with or without the scheme, `/invite/` or the parameters
 * that the apps append when a link is shared (sent along as part of the code, they are WhatsApp's `bad-request`).
 */
function codeOf(text: string, field: string): string {
  const written = text.trim();
  if (CODE.test(written)) return written;
  const url = written.length > LONGEST_LINK ? null : URL.parse(withScheme(written));
  const code = url && codeIn(url);
  if (code && CODE.test(code)) return code;
  throw invalidField(
    field,
    `must be an invite link such as https://${HOST}/CODE, or its code`,
    text.slice(0, 100),
  );
}

function codeIn(url: URL): string | null {
  // What the apps open themselves.
  if (url.protocol === 'whatsapp:') return url.searchParams.get('code');
  if (url.hostname.toLowerCase() !== HOST) return null;
  const parts = url.pathname.split('/').filter((part) => part !== '' && part !== 'invite');
  return parts.length === 1 ? (parts[0] ?? null) : null;
}

function withScheme(text: string): string {
  return text.includes('://') ? text : `https://${text}`;
}

function jidOn(text: string, servers: readonly string[], field: string, what: string): Jid {
  const bare = text.trim();
  const written =
    bare.includes('@') || !/^\+?\d{5,20}$/.test(bare) ? bare : `${bare.replace('+', '')}@${servers[0]}`;
  const jid = normaliseJid(written);
  if (jid && servers.includes(serverOf(jid) ?? '')) return jid;
  throw invalidField(field, `must be the JID of ${what}`, text.slice(0, 100));
}

/** An invitation whose message is not stored cannot be used without the time that it says. */
export function expirationMissing(): AppError {
  return invalidField(
    'expiration',
    'is needed: the message with this invitation is not stored; it is `inviteExpiration` there',
  );
}
