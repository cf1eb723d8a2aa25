/** Tokens and cursors of WhatsApp in a query: base64, which holds `+`. */

/**
 * As WhatsApp gave it, from a query that was written without percent-encoding: `+` is a space there (WHATWG URL,
 * application/x-www-form-urlencoded), and no base64 holds a space.
 */
export function opaqueInQuery(given: string): string;
export function opaqueInQuery(given: string | undefined): string | null;
export function opaqueInQuery(given: string | undefined): string | null {
  return given?.replaceAll(' ', '+') ?? null;
}
