import { AppError, invalidField } from '../../errors.ts';
import { canonicalJid } from '../../identity/jid.ts';
import type { Identity, Jid } from '../../whatsapp/port/identity.ts';
import { type Content, checkedOptional, checkedText } from '../content.ts';
import { mentionedJids } from '../recipients.ts';

/** Where a tag stands in the text: characters, the end not included. */
type Position = readonly number[];

/** A limit of ours, above what a person reads in a tag. */
export const LONGEST_TAG = 100;

export interface TextMentionsInput {
  text: string;
  mentions: {
    /** Everybody in the group. */
    mentionAll?: boolean;
    mentionAllPosition?: Position;
    /** Notifies without a visible tag: the text stays as it is. */
    silent?: boolean;
    specificUsers?: { jid: string; name?: string; position?: Position }[];
  };
}

/**
 * A text to a group that mentions people. A mention has no position on the wire: clients look for
 * `@<user part of the JID>` in the text and show the person's name there (waE2E.ContextInfo
 * `mentionedJid`). So the tag that a position points at is replaced by that; `@all`-like tags stay.
 */
export function textMentionsContent(input: TextMentionsInput): Content {
  const text = checkedText('text', input.text);
  const { mentionAll = false, silent = false, specificUsers = [] } = input.mentions;
  if (!mentionAll && specificUsers.length === 0) {
    throw invalidField('mentions', 'must have mentionAll or at least one of specificUsers');
  }
  const users = mentionedJids(
    specificUsers.map(({ jid }) => jid),
    'mentions.specificUsers',
  );
  if (input.mentions.mentionAllPosition) {
    checkedPosition('mentions.mentionAllPosition', input.mentions.mentionAllPosition);
  }
  const tags = specificUsers.map(({ name, position }, index) => ({
    jid: users[index] ?? '',
    name: checkedOptional(`mentions.specificUsers.${index}.name`, name, LONGEST_TAG),
    position: position && checkedPosition(`mentions.specificUsers.${index}.position`, position),
  }));
  if (!silent) checkedText('text', withTags(text, tags));
  return {
    chatState: 'composing',
    async compose({ session, recipient, contextInfo, people }) {
      const members = await session.groups.members(recipient.to);
      const named = await people(users);
      const meant = tags.map((tag, index) => ({
        ...tag,
        jid: canonicalJid(named[index] ?? NOBODY) ?? tag.jid,
      }));
      const tagged = silent ? text : withTags(text, meant);
      const mentions = [
        ...new Set([...(mentionAll ? members.flatMap(nameOf) : []), ...meant.map(({ jid }) => jid)]),
      ];
      if (mentions.length === 0)
        throw new AppError('VALIDATION_ERROR', { message: 'nobody is in this group' });
      const before = (contextInfo?.mentionedJid ?? []) as Jid[];
      const mentionedJid = [...new Set([...before, ...mentions])];
      return {
        kind: 'text',
        text: tagged,
        mentions,
        message: { extendedTextMessage: { text: tagged, contextInfo: { ...contextInfo, mentionedJid } } },
        metadata: {
          mentions_processed: mentionedJid.length,
          mention_all_applied: mentionAll,
          specific_mentions: users.length,
          silent_mentions: silent,
          group_participants: members.length,
        },
      };
    },
  };
}

const NOBODY: Identity = { jid: null, lid: null };

function nameOf({ jid, lid }: Identity): Jid[] {
  const name = jid ?? lid;
  return name ? [name] : [];
}

/** Positions may point past the end, as the documentation's own example does; then the tag is looked for. */
function checkedPosition(field: string, position: Position): [number, number] {
  const [start = -1, end = -1] = position;
  if (position.length !== 2 || start < 0 || end <= start) {
    throw invalidField(field, 'must be [start, end] with 0 <= start < end', position);
  }
  return [start, end];
}

interface Tag {
  jid: Jid;
  name: string | undefined;
  position: [number, number] | undefined;
}

/** Puts `@<user>` in place of each tag. Of two that overlap, the one that begins later wins. */
function withTags(text: string, tags: Tag[]): string {
  const characters = [...text];
  const named = firstTags(
    characters,
    tags.flatMap(({ name }) => name ?? []),
  );
  const found = tags
    .flatMap(({ jid, name, position }) => {
      const range = position && characters[position[0]] === '@' ? position : name && named.get(name);
      return range ? [{ range, user: jid.split('@')[0] ?? '' }] : [];
    })
    .sort((a, b) => b.range[0] - a.range[0]);
  // From the last to the first, so that what is still free is all before the tag in hand.
  const pieces: string[] = [];
  let free = characters.length;
  for (const { range, user } of found) {
    const [start, end] = [range[0], Math.min(range[1], characters.length)];
    if (end > free) continue;
    pieces.push(characters.slice(end, free).join(''), `@${user}`);
    free = start;
  }
  pieces.push(characters.slice(0, free).join(''));
  return pieces.reverse().join('');
}

/**
 * Where `@<name>` stands first, for each of the names that does. Looks at each `@` once per length of a name
 * (100 at most), however many names there are.
 */
function firstTags(characters: string[], names: string[]): Map<string, [number, number]> {
  const wanted = new Set(names);
  const lengths = new Set([...wanted].map((name) => [...name].length));
  const text = characters.join('');
  const offsets = [0];
  for (const character of characters) offsets.push((offsets.at(-1) ?? 0) + character.length);
  const found = new Map<string, [number, number]>();
  for (const [at, character] of characters.entries()) {
    if (character !== '@') continue;
    for (const length of lengths) {
      const end = at + 1 + length;
      const name = text.slice(offsets[at + 1], offsets[end]);
      if (wanted.has(name) && !found.has(name)) found.set(name, [at, end]);
    }
  }
  return found;
}
