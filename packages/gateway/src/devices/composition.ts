/** Linked numbers and their sessions. The rooms that store what sessions report are composed later and subscribe. */

import type { TenantId, UserId } from '../ids.ts';
import type { Step } from '../steps.ts';
import type { Caller } from '../tenancy/caller.ts';
import { type Device, Devices, type DevicesParts, type SessionHandlers } from './devices.ts';
import { PasskeyLinks } from './passkey-links.ts';

/** Takes what the sessions of all devices report, and finds what they ask for. */
export interface SessionReports extends SessionHandlers {
  /** A message of ours, when a recipient could not read it and asks for it again. */
  loadSentMessage: DevicesParts['loadSentMessage'];
  /** Whether a copy of a message from WhatsApp is stored. */
  hasReceived: DevicesParts['hasReceived'];
}

export interface DevicesRoom {
  devices: Devices;
  /** Links to the page that helps a person with the passkey step. */
  passkeyLinks: PasskeyLinks;
  /** Once, before the start. */
  subscribe(reports: SessionReports): void;
  /** Hears of each device that has connected. Must not throw. Once for each listener, before the start. */
  onConnected(listener: (device: Device) => void): void;
  step: Step;
}

/** A session that does not end is left behind after 3 s (`session-slot.ts`); then its state is stored. */
const STOP_MS = 4000;

export function composeDevices(
  parts: Omit<DevicesParts, 'handlers' | 'loadSentMessage' | 'hasReceived'> & {
    /** A user with the rights of today; null when gone or deactivated. */
    callerOf(tenantId: TenantId, userId: UserId): Promise<Caller | null>;
  },
): DevicesRoom {
  let subscribed: SessionReports | null = null;
  const reports = (): SessionReports => {
    if (!subscribed) throw new Error('a session reports before anybody has subscribed');
    return subscribed;
  };
  const connected: ((device: Device) => void)[] = [];
  const devices = new Devices({
    ...parts,
    stateChanged: (device, previous) => {
      parts.stateChanged?.(device, previous);
      if (device.state !== 'connected' || previous.state === 'connected') return;
      for (const listener of connected) listener(device);
    },
    loadSentMessage: async (...asked) => reports().loadSentMessage(...asked),
    hasReceived: async (...asked) => reports().hasReceived(...asked),
    handlers: {
      message: async (...told) => reports().message(...told),
      receipt: async (...told) => reports().receipt(...told),
      ownRead: async (...told) => reports().ownRead(...told),
      mediaRetry: async (...told) => reports().mediaRetry(...told),
      notice: async (...told) => reports().notice(...told),
      accountState: async (...told) => reports().accountState(...told),
      history: async (...told) => reports().history(...told),
      chatTimer: async (...told) => reports().chatTimer(...told),
      pushNames: async (...told) => reports().pushNames(...told),
      groupsChanged: async (...told) => reports().groupsChanged(...told),
      pastMembers: async (...told) => reports().pastMembers(...told),
    },
  });
  return {
    devices,
    passkeyLinks: new PasskeyLinks({ clock: parts.clock, devices, callerOf: parts.callerOf }),
    subscribe: (to) => {
      subscribed = to;
    },
    onConnected: (listener) => {
      connected.push(listener);
    },
    step: { name: 'devices', start: () => devices.start(), stop: () => devices.stop(), stopMs: STOP_MS },
  };
}
