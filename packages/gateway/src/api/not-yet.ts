/** Documented operations that are not there yet, as docs/compatibility.md lists them; a test compares the two. */
export const NOT_YET: readonly string[] = [];
