import { describe, expect, test } from 'vitest';
import { fc } from '../../../sandbox/test/random.ts';
import {
  type DeviceEvent,
  type DeviceStatus,
  isTerminal,
  isWanted,
  transition,
} from '../../src/devices/state.ts';
import type { CloseReason } from '../../src/whatsapp/port/connection.ts';

const NEW: DeviceStatus = { state: 'new', reason: 'created', linked: false };
const USER_ACTIONS = ['pair', 'import', 'connect', 'disconnect', 'logout'];

const reasons: CloseReason[] = [
  'stopped',
  'restart_required',
  'connection_lost',
  'logged_out',
  'replaced',
  'banned',
  'outdated',
  'bad_session',
  'service_unavailable',
  'refused',
  'qr_timeout',
  'pairing_failed',
];

const anyPasskey: fc.Arbitrary<DeviceEvent> = fc.oneof(
  fc.constantFrom('passkey_required' as const, 'passkey_confirm' as const).map((reason) => ({
    type: 'passkey' as const,
    reason,
  })),
  fc.constantFrom('passkey_expired' as const, 'passkey_refused' as const).map((reason) => ({
    type: 'passkey_over' as const,
    reason,
  })),
);

const plain = [
  'start',
  'stop',
  'pair',
  'connect',
  'disconnect',
  'logout',
  'retry',
  'qr',
  'paired',
  'import',
  'open',
];
const anyEvent: fc.Arbitrary<DeviceEvent> = fc.oneof(
  fc.constantFrom(...plain).map((type) => ({ type }) as DeviceEvent),
  anyPasskey,
  fc.record({
    type: fc.constant('closed' as const),
    reason: fc.constantFrom(...reasons),
    statusCode: fc.constantFrom(null, 401, 402, 403, 405, 440, 500, 503, 515),
  }),
);

/** Every step that a run of events really makes, from a new device on. */
function steps(events: DeviceEvent[]): { from: DeviceStatus; event: DeviceEvent; to: DeviceStatus }[] {
  const made: { from: DeviceStatus; event: DeviceEvent; to: DeviceStatus }[] = [];
  let status = NEW;
  for (const event of events) {
    const next = transition(status, event);
    if (next === null) continue;
    made.push({ from: status, event, to: next });
    status = next;
  }
  return made;
}

function forEveryStep(check: (step: ReturnType<typeof steps>[number]) => void): void {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
      for (const step of steps(events)) check(step);
    }),
    { numRuns: 2000 },
  );
}

describe('for any run of events', () => {
  test('a terminal state is left by a user action alone; outdated also by a new gateway process', () => {
    forEveryStep(({ from, event }) => {
      if (!isTerminal(from)) return;
      const allowed = from.state === 'outdated' ? [...USER_ACTIONS, 'start'] : USER_ACTIONS;
      expect(allowed).toContain(event.type);
    });
  });

  test('connected is entered by `open` alone', () => {
    forEveryStep(({ event, to }) => {
      if (to.state === 'connected') expect(event.type).toBe('open');
    });
  });

  test('what is connected or reconnecting is linked, and what is logged out or wanted not is not', () => {
    forEveryStep(({ to }) => {
      if (to.state === 'connected' || to.state === 'reconnecting') expect(to.linked).toBe(true);
      if (to.state === 'logged_out') expect(to.linked).toBe(false);
      if (isWanted(to)) expect(to.linked).toBe(true);
    });
  });

  test('a device stops being linked only by logged_out', () => {
    forEveryStep(({ from, to }) => {
      if (from.linked && !to.linked) expect(to.state).toBe('logged_out');
    });
  });

  test('every step changes something, and `new` is never entered again', () => {
    forEveryStep(({ from, to }) => {
      expect(to).not.toEqual(from);
      expect(to.state).not.toBe('new');
    });
  });
});

describe('the passkey step', () => {
  test('happens to a device that is being linked, and its reason stays with no other state', () => {
    forEveryStep(({ from, event, to }) => {
      if (event.type === 'passkey' || event.type === 'passkey_over') {
        expect(from).toMatchObject({ state: 'pairing', linked: false });
      }
      const waits = to.reason === 'passkey_required' || to.reason === 'passkey_confirm';
      if (waits) expect(event.type).toBe('passkey');
    });
  });
});

describe('the steps of moving in', () => {
  test.each([
    { state: 'new', reason: 'created', linked: false },
    { state: 'disconnected', reason: 'requested', linked: false },
    { state: 'logged_out', reason: 'logged_out', linked: false },
  ] as const)('from $state: imported, connected', (from) => {
    const imported = transition(from, { type: 'import' });
    expect(imported).toEqual({ state: 'reconnecting', reason: 'imported', linked: true });
    expect(imported && transition(imported, { type: 'open' })).toMatchObject({ state: 'connected' });
  });

  test.each([
    { state: 'pairing', reason: 'waiting_for_scan', linked: false },
    { state: 'connected', reason: 'open', linked: true },
    { state: 'disconnected', reason: 'requested', linked: true },
    { state: 'replaced', reason: 'replaced', linked: true },
  ] as const)('not into a device that is $state and holds another session', (from) => {
    expect(transition(from, { type: 'import' })).toBeNull();
  });
});

describe('the steps of linking', () => {
  test('new, pairing, linked, 515 without a change, connected', () => {
    const made = steps([
      { type: 'pair' },
      { type: 'qr' },
      { type: 'paired' },
      { type: 'closed', reason: 'restart_required', statusCode: 515 },
      { type: 'open' },
    ]);
    expect(made.map(({ to }) => `${to.state}:${to.reason}`)).toEqual([
      'pairing:waiting_for_scan',
      'pairing:linked',
      'connected:open',
    ]);
  });

  test.each([
    ['logged_out', 401, 'logged_out', 'logged_out'],
    ['replaced', 440, 'replaced', 'replaced'],
    ['banned', 403, 'banned', 'banned'],
    ['banned', 402, 'banned', 'temporary_ban'],
    ['outdated', 405, 'outdated', 'outdated'],
    ['connection_lost', 408, 'reconnecting', 'connection_lost'],
    ['service_unavailable', 503, 'reconnecting', 'service_unavailable'],
    ['bad_session', 500, 'reconnecting', 'bad_session'],
    ['refused', 415, 'reconnecting', 'refused'],
    ['stopped', null, 'reconnecting', 'connection_lost'],
  ] as const)('a connected device whose session ends as %s (%s) is %s because of %s', (reason, statusCode, state, why) => {
    const connected: DeviceStatus = { state: 'connected', reason: 'open', linked: true };
    expect(transition(connected, { type: 'closed', reason, statusCode })).toMatchObject({
      state,
      reason: why,
    });
  });

  test.each([
    'qr_timeout',
    'pairing_failed',
    'connection_lost',
    'logged_out',
  ] as const)('a pairing that ends as %s leaves the device disconnected with that reason, ready to pair again', (reason) => {
    const pairing: DeviceStatus = { state: 'pairing', reason: 'waiting_for_scan', linked: false };
    const over = transition(pairing, { type: 'closed', reason, statusCode: null });
    expect(over).toEqual({ state: 'disconnected', reason, linked: false });
    expect(over && transition(over, { type: 'pair' })).toMatchObject({ state: 'pairing' });
  });
});
