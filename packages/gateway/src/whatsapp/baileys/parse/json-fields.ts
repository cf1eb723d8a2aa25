/** Members of JSON that the server sent: one of another type than it should be is taken for none. */
export type Json = { readonly [name: string]: unknown };

export function object(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
