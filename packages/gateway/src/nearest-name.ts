/** Finds what a misspelt name was meant to be, of a member of a request or of a setting. */

/** Longer names are compared with none: what a comparison costs grows with the square of their length. */
const LONGEST_COMPARED = 64;
/** Fewer letters in common say nothing. */
const SHORTEST_PREFIX = 4;

/** The name without what distinguishes camelCase, snake_case and capitals. */
export function plainName(name: string): string {
  return name.replaceAll(/[_-]/g, '').toLowerCase();
}

/** The one of `known` that somebody probably meant who wrote `written`; null when none is near. */
export function nearestName(known: readonly string[], written: string): string | null {
  const wanted = plainName(written);
  if (written.length > LONGEST_COMPARED || wanted.length < 2) return null;
  let nearest: string | null = null;
  // Up to a third of the letters wrong is a misspelling; more is another word.
  let least = Math.max(1, Math.min(3, Math.floor(wanted.length / 3))) + 1;
  for (const name of known) {
    const distance = editDistance(plainName(name), wanted, least);
    if (distance < least) [nearest, least] = [name, distance];
  }
  return nearest ?? known.find((name) => beginsAlike(plainName(name), wanted)) ?? null;
}

function beginsAlike(known: string, wanted: string): boolean {
  const [short, long] = known.length < wanted.length ? [known, wanted] : [wanted, known];
  return short.length >= SHORTEST_PREFIX && long.startsWith(short);
}

/** Letters to insert, delete, replace or swap with their neighbour; `most` when there are so many or more. */
export function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) >= most) return most;
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const line = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1] ? 0 : 1;
      let cost = Math.min(at(above, column) + 1, at(line, column - 1) + 1, at(above, column - 1) + same);
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, at(before, column - 2) + 1);
      }
      line.push(cost);
    }
    [before, above] = [above, line];
  }
  return Math.min(at(above, b.length), most);
}

function at(line: readonly number[], index: number): number {
  return line[index] ?? Number.POSITIVE_INFINITY;
}
