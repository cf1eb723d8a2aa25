/** Five columns a row, of the 32 766 parameters that a statement may have. */
const ROWS_PER_STATEMENT = 500;

/** Rows in portions that one statement takes. */
export function chunks<T>(all: readonly T[]): T[][] {
  const parts: T[][] = [];
  for (let start = 0; start < all.length; start += ROWS_PER_STATEMENT) {
    parts.push(all.slice(start, start + ROWS_PER_STATEMENT));
  }
  return parts;
}
