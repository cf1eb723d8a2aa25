import type { DeviceCredentials, KeyChange } from '../whatsapp/port/credentials.ts';
import type { Route } from '../whatsapp/port/route.ts';
import type { SessionFactory, SessionParts } from '../whatsapp/port/session.ts';
import type { BackoffSettings } from './backoff.ts';
import type { Device } from './device.ts';
import type { DeviceRecordParts } from './device-record.ts';
import type { WithinCommit } from './device-store.ts';
import type { SessionHandlers } from './session-handlers.ts';

/** A device's credentials, and the way to put others in their place. */
export interface KeptCredentials extends DeviceCredentials {
  replaceIn(trx: Parameters<WithinCommit>[0], credentials: Uint8Array, keys: KeyChange[]): Promise<void>;
}

/** What a device needs from the rest of the gateway. */
export interface DeviceActorParts extends DeviceRecordParts {
  createSession: SessionFactory;
  credentialsFor(device: Device): KeptCredentials;
  loadSentMessage(
    device: Device,
    ...asked: Parameters<SessionParts['loadSentMessage']>
  ): Promise<Uint8Array | null>;
  hasReceived(device: Device, message: Parameters<SessionParts['hasReceived']>[0]): Promise<boolean>;
  handlers: SessionHandlers;
  /** The way of the device's traffic, asked anew for each session; null: directly. Default: directly. */
  routeOf?: (device: Device) => Promise<Route | null>;
  /** Whether others may learn what a device reads; default: yes. */
  showsReading?: (device: Device) => Promise<boolean>;
  /** Whether a device may be shown as online; default: yes. */
  mayAppear?: (device: Device) => Promise<boolean>;
  backoff?: Partial<BackoffSettings>;
}

/** The newest QR of the pairing session. Times in milliseconds. */
export interface PairingQr {
  code: string;
  generatedAt: number;
  expiresAt: number;
}
