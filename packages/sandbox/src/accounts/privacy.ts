import type { Account } from '../state/directory.ts';

/** Whether the account does not show that (`profile`: its picture, `status`: its about text) to the other one. */
export function hides(owner: Account, what: 'profile' | 'status', from: Account): boolean {
  if (owner === from) return false;
  const to = owner.privacy.get(what);
  return to === 'none' || (to === 'contacts' && !owner.contacts.has(from.user));
}
