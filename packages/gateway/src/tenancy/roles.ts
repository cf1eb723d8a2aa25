/**
 * Who may do what to whom within a tenant.
 *
 * - `admin`: everything, to everyone of the tenant.
 * - `manager`: sees all users; may set `active` and change roles between `user` and `manager`.
 *   Creates nobody, deletes nobody, never touches an admin and never makes one.
 * - `user`: sees itself.
 * - Everyone may rotate the own token; an admin anybody's. A manager may not rotate another's:
 *   the answer holds the token, and with it the account.
 * - A tenant keeps at least one active admin: the last one can be neither demoted, deactivated
 *   nor deleted. Nobody deletes themselves.
 */
import type { Caller, Role } from './caller.ts';
import { seesWholeTenant } from './visibility.ts';

export const ROLES = ['admin', 'manager', 'user'] as const satisfies readonly Role[];

export interface Target {
  id: string;
  role: Role;
}

export function mayView(caller: Caller, target: Target): boolean {
  return seesWholeTenant(caller) || caller.userId === target.id;
}

export function mayActivate(caller: Caller, target: Target): boolean {
  return caller.role === 'admin' || (caller.role === 'manager' && target.role !== 'admin');
}

/** The promotion rules: from the target's role to `next`. */
export function mayChangeRole(caller: Caller, target: Target, next: Role): boolean {
  if (caller.role === 'admin') return true;
  return caller.role === 'manager' && target.role !== 'admin' && next !== 'admin';
}

export function mayDelete(caller: Caller): boolean {
  return caller.role === 'admin';
}

export function mayRotateToken(caller: Caller, target: Target): boolean {
  return caller.role === 'admin' || caller.userId === target.id;
}
