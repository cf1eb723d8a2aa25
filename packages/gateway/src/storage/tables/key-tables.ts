/** The tables of keys, and of what came in under them. */

import type { Generated } from 'kysely';
import type { DeviceId, TenantId } from '../../ids.ts';

/** One row: which key the database is sealed with. `encryption-key.ts` alone reads and writes it. */
export interface EncryptionKeyTable {
  id: number;
  /** Opens with the key in use. */
  sealed: Uint8Array;
  /** While everything is being sealed anew: opens with the key to come. */
  next_sealed: Uint8Array | null;
  /** How far that is: see `key-rotation.ts`. */
  progress: string | null;
}

export interface DeviceCredentialsTable {
  device_id: DeviceId;
  tenant_id: TenantId;
  /** Encrypted at rest. */
  value: Uint8Array;
  updated_at: number;
}

export interface SignalKeysTable {
  device_id: DeviceId;
  tenant_id: TenantId;
  type: string;
  id: string;
  /** Encrypted at rest. */
  value: Uint8Array;
}

export interface InboundJournalTable {
  device_id: DeviceId;
  tenant_id: TenantId;
  id: string;
  stanza: Uint8Array;
  /** Encrypted at rest. */
  plaintext: Uint8Array;
  received_at: number;
  /** When it was given up: no start reads it again. */
  set_aside_at: Generated<number | null>;
  set_aside_reason: Generated<string | null>;
}
