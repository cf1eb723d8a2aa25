/** Tags of people in a text: `@` and the user part of the JID, by which the apps find the name to show. */
import { parseJid } from '../identity/jid.ts';
import { member } from '../messages/details/wire-content.ts';
import { withContent } from '../whatsapp/port/envelopes.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import type { Composed } from './content.ts';

/** A tag by number: no LID and no number is longer. */
const TAG = /@(\d{5,20})(?!\d)/g;

/** Where a text may stand in a content. */
const TEXTS = ['text', 'caption'] as const;

/** The spellings that were not the account's, with that. */
export function respelt(written: readonly Jid[], people: readonly Identity[]): ReadonlyMap<string, string> {
  const users = written.flatMap((name, index): [string, string][] => {
    const [given, meant] = [parseJid(name)?.user, parseJid(people[index]?.jid ?? '')?.user];
    return given && meant && given !== meant ? [[given, meant]] : [];
  });
  return new Map(users);
}

/** The message with its tags by the account's own number: under another spelling no name is shown. */
export function retagged(composed: Composed, spellings: ReadonlyMap<string, string>): Composed {
  if (spellings.size === 0) return composed;
  const { text } = composed;
  return {
    ...composed,
    text: text && inText(text, spellings),
    message: withContent(composed.message, (content) =>
      Object.fromEntries(
        Object.entries(content).map(([name, value]) => {
          if (name === 'conversation') return [name, inText(String(value), spellings)];
          const part = member(content, name);
          return [name, part ? inPart(part, spellings) : value];
        }),
      ),
    ),
  };
}

function inPart(part: object, spellings: ReadonlyMap<string, string>): object {
  const texts = Object.entries(part).filter(
    ([name, value]) => TEXTS.some((each) => each === name) && typeof value === 'string',
  );
  return { ...part, ...Object.fromEntries(texts.map(([name, value]) => [name, inText(value, spellings)])) };
}

function inText(text: string, spellings: ReadonlyMap<string, string>): string {
  return text.replace(TAG, (tag, user: string) => {
    const meant = spellings.get(user);
    return meant === undefined ? tag : `@${meant}`;
  });
}
