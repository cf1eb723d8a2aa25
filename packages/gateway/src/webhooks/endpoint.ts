/** An endpoint as it is stored: its row in our terms, and what of it is sealed. */
import { randomUUID } from 'node:crypto';
import type { Selectable } from 'kysely';
import type { EventName } from '../events/catalogue/names.ts';
import type { DeviceId, TenantId, UserId } from '../ids.ts';
import type { WebhookEndpointsTable } from '../storage/schema.ts';
import { SEALED } from '../storage/sealed.ts';
import type { Vault } from '../storage/vault.ts';

/** `paused`: failed for long; `gone`: answered 410. Both until it is configured again. */
export const ENDPOINT_STATES = ['active', 'paused', 'gone'] as const;
export type EndpointState = (typeof ENDPOINT_STATES)[number];

/** What is pending for an endpoint. Times in milliseconds. */
export interface Waiting {
  deliveries: number;
  /** The oldest was made then. */
  since: number;
  /** It expires then, unless it was delivered or has failed. */
  expiresAt: number;
}

/** Where and how the events of one device are pushed. The secret leaves the database for signing alone. */
export interface Endpoint {
  id: string;
  tenantId: TenantId;
  /** The device's owner. */
  userId: UserId;
  deviceId: DeviceId;
  /** The one that the documented single-config operations speak of. */
  isDefault: boolean;
  url: string;
  events: EventName[];
  enabled: boolean;
  /** Attempts after the first. */
  retryAttempts: number;
  timeoutSeconds: number;
  hasSecret: boolean;
  headers: Record<string, string>;
  state: EndpointState;
  stateReason: string | null;
  stateAt: number;
  /** First failure since the last success; null while it works. */
  failingSince: number | null;
  /** Failed attempts since the last success. */
  failures: number;
  /** What is pending for it; null when nothing is. */
  waiting: Waiting | null;
  createdAt: number;
  updatedAt: number;
}

export type EndpointRow = Selectable<WebhookEndpointsTable>;

/** As the documented ones look: `wh_` and letters. */
export function newEndpointId(): string {
  return `wh_${randomUUID().replaceAll('-', '')}`;
}

/** The columns that are sealed. */
const PLACES = { secret: SEALED.webhookSecret, headers: SEALED.webhookHeaders } as const;

export function sealText(vault: Vault, endpointId: string, column: keyof typeof PLACES, text: string) {
  return vault.seal(Buffer.from(text, 'utf8'), PLACES[column].at({ id: endpointId }));
}

function openText(
  vault: Vault,
  endpointId: string,
  column: keyof typeof PLACES,
  sealed: Uint8Array | null,
): string | null {
  return sealed === null
    ? null
    : Buffer.from(vault.open(sealed, PLACES[column].at({ id: endpointId }))).toString('utf8');
}

export function secretOf(row: EndpointRow, vault: Vault): string | null {
  return openText(vault, row.id, 'secret', row.secret);
}

export function headersOf(row: EndpointRow, vault: Vault): Record<string, string> {
  const text = openText(vault, row.id, 'headers', row.headers);
  return text === null ? {} : (JSON.parse(text) as Record<string, string>);
}

/** A query often carries a token. */
export function urlWithoutQuery(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

export function endpointFromRow(row: EndpointRow, vault: Vault, waiting: Waiting | null): Endpoint {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    userId: row.user_id,
    deviceId: row.device_id,
    isDefault: row.is_default === 1,
    url: row.url,
    events: JSON.parse(row.events) as EventName[],
    enabled: row.enabled === 1,
    retryAttempts: row.retry_attempts,
    timeoutSeconds: row.timeout_s,
    hasSecret: row.secret !== null,
    headers: headersOf(row, vault),
    state: ENDPOINT_STATES.find((each) => each === row.state) ?? 'active',
    stateReason: row.state_reason,
    stateAt: row.state_at,
    failingSince: row.failing_since,
    failures: row.failures,
    waiting,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
