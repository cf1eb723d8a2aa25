import type { CloseReason } from '../whatsapp/port/connection.ts';

export const DEVICE_STATES = [
  'new',
  'pairing',
  'connected',
  'reconnecting',
  'disconnected',
  'logged_out',
  'banned',
  'replaced',
  'outdated',
] as const;

export type DeviceState = (typeof DEVICE_STATES)[number];

/** What a device that is being linked waits for when WhatsApp asks for a passkey: see `passkey-step.ts`. */
export type PasskeyWait = 'passkey_required' | 'passkey_confirm';

/** How the passkey step ends without a link. */
export type PasskeyEnd = 'passkey_expired' | 'passkey_given_up' | 'passkey_refused' | 'passkey_failed';

/** Why a device is in its state. The names are stable: users see them as `reason`. */
export type StateReason =
  | CloseReason
  | PasskeyWait
  | PasskeyEnd
  | 'created'
  | 'waiting_for_scan'
  | 'linked'
  | 'imported'
  | 'open'
  | 'requested'
  | 'connect_requested'
  | 'proxy_changed'
  | 'gateway_started'
  | 'gateway_stopped'
  | 'temporary_ban'
  | 'credentials_missing';

export interface DeviceStatus {
  readonly state: DeviceState;
  readonly reason: StateReason;
  /** A phone has accepted this companion and its credentials are kept. */
  readonly linked: boolean;
}

/** What can move a device: the gateway's life, the user's wishes, the session's reports, the back-off. */
export type DeviceEvent =
  | { type: 'start' }
  | { type: 'stop' }
  | { type: 'pair' }
  | { type: 'connect' }
  | { type: 'reroute' }
  | { type: 'disconnect' }
  | { type: 'logout' }
  | { type: 'retry' }
  | { type: 'qr' }
  | { type: 'passkey'; reason: PasskeyWait }
  | { type: 'passkey_over'; reason: PasskeyEnd }
  | { type: 'paired' }
  | { type: 'import' }
  | { type: 'open' }
  | { type: 'closed'; reason: CloseReason; statusCode: number | null };

/** WhatsApp's code for a ban that ends by itself (whatsmeow types/events: ConnectFailureTempBanned). */
const TEMPORARY_BAN_CODE = 402;

/** True for states that neither time nor a retry can cure: only the user gets the device out. */
export function isTerminal(status: DeviceStatus): boolean {
  if (status.state === 'banned') return !isTemporaryBan(status);
  return status.state === 'logged_out' || status.state === 'replaced' || status.state === 'outdated';
}

/** A ban that WhatsApp lifts by itself: tried again, rarely. */
export function isTemporaryBan(status: DeviceStatus): boolean {
  return status.state === 'banned' && status.reason === 'temporary_ban' && status.linked;
}

/** True when the supervisor should hold a socket for the device, or take it up again after a restart. */
export function isWanted(status: DeviceStatus): boolean {
  if (!status.linked) return false;
  return (
    ['connected', 'reconnecting', 'pairing', 'outdated'].includes(status.state) || isTemporaryBan(status)
  );
}

/**
 * The device's state machine: the next status, or null when the event changes nothing.
 *
 * | event      | from                                     | to                                         |
 * |------------|------------------------------------------|--------------------------------------------|
 * | pair       | any, not linked                          | pairing (waiting_for_scan)                 |
 * | passkey    | pairing, not linked                      | pairing (passkey_required, passkey_confirm) |
 * | passkey_over | pairing, not linked                    | disconnected (passkey_expired, …)          |
 * | paired     | pairing                                  | pairing (linked); 515 and `open` follow    |
 * | import     | any but pairing/connected/reconnecting, not linked | reconnecting (imported)  |
 * | open       | pairing, reconnecting                    | connected                                  |
 * | connect    | any but connected/reconnecting/pairing, linked | reconnecting (connect_requested)     |
 * | reroute    | connected, reconnecting                  | reconnecting (proxy_changed)               |
 * | reroute    | pairing, not linked                      | pairing (waiting_for_scan)                 |
 * | disconnect | pairing, connected, reconnecting, outdated, temporary ban | disconnected (requested)  |
 * | logout     | any, linked                              | logged_out (requested)                     |
 * | retry      | banned (temporary_ban)                   | reconnecting                               |
 * | qr         | pairing, not linked                      | no change: the code is cached beside       |
 * | qr         | any other with a session                 | logged_out (credentials_missing)           |
 * | start      | connected, reconnecting, pairing, outdated, temporary ban; linked | reconnecting (gateway_started) |
 * | start      | pairing, not linked                      | disconnected (gateway_stopped)             |
 * | stop       | connected, reconnecting, pairing; linked | reconnecting (gateway_stopped)             |
 * | stop       | pairing, not linked                      | disconnected (gateway_stopped)             |
 * | closed     | pairing, connected, reconnecting         | by reason:                                 |
 * |   banned, outdated                  |                 | banned, outdated                           |
 * |   logged_out, replaced              | linked          | logged_out, replaced                       |
 * |   restart_required (515)            | pairing         | no change: the next step of linking        |
 * |   any other                         | linked          | reconnecting (that reason)                 |
 * |   any other                         | not linked      | disconnected (that reason)                 |
 *
 * `start` takes up `outdated` again because a new gateway may speak a newer client version; the other
 * terminal states wait for the user. Everything not in the table is ignored: a late report of a session
 * that was given up must not move the device.
 */
export function transition(status: DeviceStatus, event: DeviceEvent): DeviceStatus | null {
  const next = target(status, event);
  if (next === null) return null;
  const same = next.state === status.state && next.reason === status.reason && next.linked === status.linked;
  return same ? null : next;
}

function target(status: DeviceStatus, event: DeviceEvent): DeviceStatus | null {
  const { state, linked } = status;
  const holdsSession = state === 'pairing' || state === 'connected' || state === 'reconnecting';
  switch (event.type) {
    case 'pair':
      return linked ? null : to('pairing', 'waiting_for_scan', false);
    case 'passkey':
      return state === 'pairing' && !linked ? to('pairing', event.reason, false) : null;
    case 'passkey_over':
      return state === 'pairing' && !linked ? to('disconnected', event.reason, false) : null;
    case 'paired':
      return state === 'pairing' ? to('pairing', 'linked', true) : null;
    case 'import':
      return linked || holdsSession ? null : to('reconnecting', 'imported', true);
    case 'open':
      return state === 'pairing' || state === 'reconnecting' ? to('connected', 'open', true) : null;
    case 'connect':
      return linked && !holdsSession ? to('reconnecting', 'connect_requested', true) : null;
    case 'reroute':
      if (state === 'pairing' && !linked) return to('pairing', 'waiting_for_scan', false);
      return state === 'connected' || state === 'reconnecting'
        ? to('reconnecting', 'proxy_changed', true)
        : null;
    case 'disconnect':
      return holdsSession || state === 'outdated' || isTemporaryBan(status)
        ? to('disconnected', 'requested', linked)
        : null;
    case 'logout':
      return linked ? to('logged_out', 'requested', false) : null;
    case 'retry':
      return isTemporaryBan(status) ? to('reconnecting', 'temporary_ban', true) : null;
    case 'qr':
      return linked && holdsSession ? to('logged_out', 'credentials_missing', false) : null;
    case 'start':
      if (isWanted(status)) return to('reconnecting', 'gateway_started', true);
      return state === 'pairing' ? to('disconnected', 'gateway_stopped', false) : null;
    case 'stop':
      if (!holdsSession) return null;
      return to(linked ? 'reconnecting' : 'disconnected', 'gateway_stopped', linked);
    case 'closed':
      return holdsSession ? afterClose(status, event.reason, event.statusCode) : null;
  }
}

function afterClose(
  { state, linked }: DeviceStatus,
  reason: CloseReason,
  statusCode: number | null,
): DeviceStatus | null {
  if (reason === 'banned') {
    return to('banned', statusCode === TEMPORARY_BAN_CODE ? 'temporary_ban' : 'banned', linked);
  }
  if (reason === 'outdated') return to('outdated', 'outdated', linked);
  if (reason === 'restart_required' && state === 'pairing') {
    return linked ? null : to('pairing', 'waiting_for_scan', false);
  }
  if (!linked) return to('disconnected', reason, false);
  if (reason === 'logged_out') return to('logged_out', 'logged_out', false);
  if (reason === 'replaced') return to('replaced', 'replaced', true);
  // A session that says `stopped` without having been asked is gone like any lost one.
  return to('reconnecting', reason === 'stopped' ? 'connection_lost' : reason, true);
}

function to(state: DeviceState, reason: StateReason, linked: boolean): DeviceStatus {
  return { state, reason, linked };
}
