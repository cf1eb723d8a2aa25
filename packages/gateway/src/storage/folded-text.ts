/** Without accents and case, as names are stored for searches and asked for: `José` is found by `jose`. */
export function folded(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}
