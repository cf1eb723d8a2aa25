import type { DeviceId, TenantId, UserId } from '../ids.ts';

/** What a user may do within the tenant; see `roles.ts` for the rules. */
export type Role = 'admin' | 'manager' | 'user';

/** Who makes a request: known from the bearer token, never from anything the request says. */
export interface Caller {
  tenantId: TenantId;
  userId: UserId;
  role: Role;
}

const USED = new WeakMap<Caller, DeviceId>();

/** Notes which device was used for a request, which need not name one. Each request has a `Caller` of its own. */
export function noteDevice(caller: Caller, deviceId: DeviceId): void {
  USED.set(caller, deviceId);
}

/** The device that was used last. */
export function notedDevice(caller: Caller): DeviceId | undefined {
  return USED.get(caller);
}
