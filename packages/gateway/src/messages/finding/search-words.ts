/** What a person types into a search, as words to look for. */
import { invalidField } from '../../errors.ts';
import type { SearchTerm } from '../../storage/search.ts';

/** A phrase in double quotes, closed or not, or what stands between spaces; each may end in `*`. */
const TERM = /"([^"]*)(?:"|$)(\*)?|([^\s"]+)/g;
/** What the index makes words of: letters, digits, and characters of private use. */
const WORD = /[\p{L}\p{N}\p{Co}]/u;
/** Within a word, marks on its letters included. */
const IN_WORD = /[\p{L}\p{N}\p{Co}\p{M}]/u;
/** Of a script that writes without spaces. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmr}\p{sc=Mymr}]/u;

/**
 * Every word must be there; `"…"` asks for words in a row, `*` at the end for whatever begins so. Nothing else
 * has a meaning, so there is no wrong syntax. VALIDATION_ERROR for `q` when there is nothing to look for, or
 * too much: a beginning of one letter would gather most of what there is.
 */
export function searchTerms(q: string): SearchTerm[] {
  const terms = [...q.replaceAll('\0', ' ').matchAll(TERM)].flatMap(([, phrase, star, word]) => {
    const prefix = word === undefined ? star === '*' : word.endsWith('*');
    const text = (word ?? phrase ?? '').replaceAll('*', ' ').trim();
    if (!WORD.test(text)) return [];
    if (prefix && !endsInBeginning(text)) {
      throw invalidField('q', 'needs two letters or digits before *', q.slice(0, 100));
    }
    return [{ text, prefix }];
  });
  if (terms.length === 0) throw invalidField('q', 'has no letter or digit to look for', q.slice(0, 100));
  return terms;
}

/** Does the last word of the text have two characters at its end, or one of a script without spaces? */
function endsInBeginning(text: string): boolean {
  const characters = [...text];
  const last = characters.findLastIndex((character) => IN_WORD.test(character));
  const [before = '', end = ''] = [characters[last - 1], characters[last]];
  return UNSPACED.test(end) || (IN_WORD.test(end) && IN_WORD.test(before));
}
