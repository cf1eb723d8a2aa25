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
      return linked ? null : unlinkedAs('pairing', 'waiting_for_scan');
    case 'passkey':
      return state === 'pairing' && !linked ? unlinkedAs('pairing', event.reason) : null;
    case 'passkey_over':
      return state === 'pairing' && !linked ? unlinkedAs('disconnected', event.reason) : null;
    case 'paired':
      return state === 'pairing' ? linkedAs('pairing', 'linked') : null;
    case 'import':
      return linked || holdsSession ? null : linkedAs('reconnecting', 'imported');
    case 'open':
      return state === 'pairing' || state === 'reconnecting' ? linkedAs('connected', 'open') : null;
    case 'connect':
      return linked && !holdsSession ? linkedAs('reconnecting', 'connect_requested') : null;
    case 'reroute':
      if (state === 'pairing' && !linked) return unlinkedAs('pairing', 'waiting_for_scan');
      return state === 'connected' || state === 'reconnecting'
        ? linkedAs('reconnecting', 'proxy_changed')
        : null;
    case 'disconnect':
      return holdsSession || state === 'outdated' || isTemporaryBan(status)
        ? { state: 'disconnected', reason: 'requested', linked }
        : null;
    case 'logout':
      return linked ? unlinkedAs('logged_out', 'requested') : null;
    case 'retry':
      return isTemporaryBan(status) ? linkedAs('reconnecting', 'temporary_ban') : null;
    case 'qr':
      return linked && holdsSession ? unlinkedAs('logged_out', 'credentials_missing') : null;
    case 'start':
      if (isWanted(status)) return linkedAs('reconnecting', 'gateway_started');
      return state === 'pairing' ? unlinkedAs('disconnected', 'gateway_stopped') : null;
    case 'stop':
      if (!holdsSession) return null;
      return { state: linked ? 'reconnecting' : 'disconnected', reason: 'gateway_stopped', linked };
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
    const temporary = statusCode === TEMPORARY_BAN_CODE;
    return { state: 'banned', reason: temporary ? 'temporary_ban' : 'banned', linked };
  }
  if (reason === 'outdated') return { state: 'outdated', reason: 'outdated', linked };
  if (reason === 'restart_required' && state === 'pairing') {
    return linked ? null : unlinkedAs('pairing', 'waiting_for_scan');
  }
  if (!linked) return unlinkedAs('disconnected', reason);
  if (reason === 'logged_out') return unlinkedAs('logged_out', 'logged_out');
  if (reason === 'replaced') return linkedAs('replaced', 'replaced');
  // A session that says `stopped` without having been asked is gone like any lost one.
  return linkedAs('reconnecting', reason === 'stopped' ? 'connection_lost' : reason);
}

function linkedAs(state: DeviceState, reason: StateReason): DeviceStatus {
  return { state, reason, linked: true };
}

function unlinkedAs(state: DeviceState, reason: StateReason): DeviceStatus {
  return { state, reason, linked: false };
}
