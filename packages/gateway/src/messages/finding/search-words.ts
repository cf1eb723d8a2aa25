/** What the full-text index holds as words, and how a search asks for them. */
import { invalidField } from '../../errors.ts';
import type { Jid, MessageKind } from '../../whatsapp/session.ts';

/** Numbers of the index per second: a message's is that of its second and its place within it; 53 bits in all. */
export const ROWS_PER_SECOND = 2 ** 22;

/** What a search is narrowed to; each is one word in the index, as its migration (0014) writes it. */
export const scopeWord = {
  tenant: (id: string): string => `t${plain(id)}`,
  device: (id: string): string => `d${plain(id)}`,
  chat: (jid: Jid): string => `c${plain(jid)}`,
  kind: (kind: MessageKind): string => `k${plain(kind)}`,
  direction: (direction: 'in' | 'out'): string => direction,
  starred: (starred: boolean): string => (starred ? 'starred' : 'plain'),
};

function plain(text: string): string {
  return text.replaceAll(/[-@._]/g, '');
}

/** A phrase in double quotes, closed or not, or what stands between spaces; each may end in `*`. */
const TERM = /"([^"]*)(?:"|$)(\*)?|([^\s"]+)/g;
/** What the tokenizer `unicode61` makes words of: letters, digits, and characters of private use. */
const WORD = /[\p{L}\p{N}\p{Co}]/u;
/** Two characters of a word at the end, or one of a script that writes without spaces. */
const BEGINNING =
  /(?:[\p{L}\p{N}\p{Co}\p{M}]{2}|[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmr}\p{sc=Mymr}])[^\p{L}\p{N}\p{Co}\p{M}]*$/u;

/**
 * An expression of FTS5 (https://sqlite.org/fts5.html#full_text_query_syntax) for what a person types. Every
 * word must be there; `"…"` asks for words in a row, `*` at the end for whatever begins so. Nothing else has a
 * meaning, so there is no wrong syntax. `scope`: one word of each group. VALIDATION_ERROR for `q` when there is
 * nothing to look for, or too much: a beginning of one letter would gather most of what there is.
 */
export function matchExpression(q: string, scope: readonly (readonly string[])[]): string {
  const terms = [...q.replaceAll('\0', ' ').matchAll(TERM)].flatMap(([, phrase, star, word]) => {
    const prefix = word === undefined ? star === '*' : word.endsWith('*');
    const text = (word ?? phrase ?? '').replaceAll('*', ' ').trim();
    if (!WORD.test(text)) return [];
    if (prefix && !BEGINNING.test(text)) {
      throw invalidField('q', 'needs two letters or digits before *', q.slice(0, 100));
    }
    return [`${quoted(text)}${prefix ? ' *' : ''}`];
  });
  if (terms.length === 0) throw invalidField('q', 'has no letter or digit to look for', q.slice(0, 100));
  const within = scope.map((group) => `(${group.map(quoted).join(' OR ')})`);
  return `scope : (${within.join(' AND ')}) AND words : (${terms.join(' AND ')})`;
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
