/** Lets in what our own page asks, in the browser that it belongs to. */
import type { FastifyRequest } from 'fastify';
import { AppError } from '../../errors.ts';

/** What may be asked without changing anything: no other site can read the answer. */
const READS: readonly string[] = ['GET', 'HEAD'];

/**
 * Throws ORIGIN_REFUSED unless a page of `origin` asks. Browsers say so in headers that no script can write:
 * `Sec-Fetch-Site` (not towards plain http, but for this machine), and `Origin` with everything that changes
 * something. A program that is no browser has neither, and nothing to do here.
 */
export function demandOwnPage({ headers, method }: FastifyRequest, origin: string): void {
  const { 'sec-fetch-site': site, origin: from } = headers;
  const foreign = (site !== undefined && site !== 'same-origin') || (from !== undefined && from !== origin);
  if (foreign || (from === undefined && !READS.includes(method))) throw new AppError('ORIGIN_REFUSED');
}

/** One for each link, so that a browser can hold several. */
function cookieName({ id, origin }: { id: string; origin: string }): string {
  // The prefix keeps other hosts of the same domain from setting it (RFC 6265bis, 4.1.3.2).
  return `${origin.startsWith('https:') ? '__Host-' : ''}wuts-passkey-${id}`;
}

/** The secret that this browser holds of the link. */
export function browserSecret(
  { headers }: FastifyRequest,
  link: { id: string; origin: string },
): string | undefined {
  const wanted = `${cookieName(link)}=`;
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(wanted))?.slice(wanted.length);
}

/** Longer than any step with what it leads to. */
const COOKIE_SECONDS = 60 * 60;

/** The header that leaves the secret with this browser: sent with requests of our own pages alone, hidden from scripts. */
export function keepSecret(link: { id: string; origin: string }, secret: string): string {
  const secure = link.origin.startsWith('https:') ? '; Secure' : '';
  return `${cookieName(link)}=${secret}; Path=/; Max-Age=${COOKIE_SECONDS}; HttpOnly; SameSite=Strict${secure}`;
}
