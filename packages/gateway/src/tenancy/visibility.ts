/**
 * Whose things a caller may see within the tenant: the one rule, for messages, media, jobs, events, deliveries
 * and devices alike. Admins and managers see everything of their tenant, a user what belongs to the user's own
 * devices or was made by that user. What is not visible is answered like what does not exist.
 */

import type { TenantId, UserId } from '../ids.ts';
import type { Caller } from './caller.ts';

export function seesWholeTenant(caller: Caller): boolean {
  return caller.role === 'admin' || caller.role === 'manager';
}

/** Whether something of this tenant and user is the caller's to see. */
export function maySee(caller: Caller, owner: { tenantId: TenantId; userId: UserId }): boolean {
  if (owner.tenantId !== caller.tenantId) return false;
  return seesWholeTenant(caller) || owner.userId === caller.userId;
}

/** The user whose things alone the caller sees; undefined for one who sees the whole tenant. */
export function onlyOwner(caller: Caller): string | undefined {
  return seesWholeTenant(caller) ? undefined : caller.userId;
}

/** The same for rows that name their tenant and user: `query.where((is) => is.and(visibleRows(caller)))`. */
export function visibleRows(caller: Caller): { tenant_id: string; user_id?: string } {
  const userId = onlyOwner(caller);
  return { tenant_id: caller.tenantId, ...(userId === undefined ? {} : { user_id: userId }) };
}

/** Whether a caller may still see what an answer was begun with for the same user. */
export function seesTheSame(now: Caller, then: Caller): boolean {
  return now.tenantId === then.tenantId && now.userId === then.userId && now.role === then.role;
}
