/** The members of a group as a table for spreadsheets (RFC 4180). */
import { canonicalJid, parseJid } from '../identity/jid.ts';
import type { GroupMember } from '../whatsapp/port/groups.ts';

const COLUMNS = ['number', 'jid', 'lid', 'is_admin', 'is_super_admin'] as const;

/** One line for each, with a head. Nothing in it is anybody's own words, so that no cell is a formula. */
export function membersCsv(members: readonly GroupMember[]): string {
  const lines = members.map((member) => [
    (member.jid && parseJid(member.jid)?.user) ?? '',
    canonicalJid(member) ?? '',
    member.lid ?? '',
    String(member.admin),
    String(member.superAdmin),
  ]);
  return [COLUMNS, ...lines].map((cells) => `${cells.join(',')}\r\n`).join('');
}
