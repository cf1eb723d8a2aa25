import type { Kysely } from 'kysely';
import { AppError } from '../errors.ts';
import type { EventRecorder } from '../events/recorder.ts';
import type { DeviceId, TenantId, UserId } from '../ids.ts';
import type { StockPlaces } from '../quotas/quotas.ts';
import type { Database } from '../storage/schema.ts';
import { type Caller, noteDevice } from '../tenancy/caller.ts';
import type { DeletionState, Deletions } from '../tenancy/deletions.ts';
import { maySee, onlyOwner } from '../tenancy/visibility.ts';
import { onSession } from '../whatsapp/port/app-errors.ts';
import type { CheckedSession, HeldIdentity, HeldSessionReader } from '../whatsapp/port/moving.ts';
import { deviceNotReady, type NotReady } from '../whatsapp/port/not-ready.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';
import { unreachableText } from '../whatsapp/port/unreachable.ts';
import { deviceToLink, deviceToUse } from './choice.ts';
import { type Device, type DeviceLimit, isLinked, newDevice, statusOf } from './device.ts';
import type { DeviceActor } from './device-actor.ts';
import type { PairingQr } from './device-actor-parts.ts';
import { DeviceStore } from './device-store.ts';
import {
  type PairCodeAnswer,
  Pairing,
  type PairingQrAnswer,
  type PairingSettings,
  phoneDigits,
} from './pairing.ts';
import { type PasskeyAssertion, Passkeys } from './passkey.ts';
import type { PasskeyStep } from './passkey-step.ts';
import { notReadyReason } from './readiness.ts';
import { isTemporaryBan, isTerminal } from './state.ts';
import { Supervisor, type SupervisorParts } from './supervisor.ts';
import { TakingOver } from './taking-over.ts';

export type { Device } from './device.ts';
export type { StateListener } from './device-record.ts';
export type { SessionHandlers } from './session-handlers.ts';
export type { DeviceState } from './state.ts';

export interface DevicesParts extends Omit<SupervisorParts, 'store'> {
  db: Kysely<Database>;
  quotas: StockPlaces;
  /** Hears of each change of a device, in its transaction; default: nobody. */
  events?: EventRecorder;
  /** Erases the rows and files of a device that was removed. */
  deletions: Pick<Deletions, 'begin'>;
  pairing?: Partial<PairingSettings>;
  /** Whose session the credentials of a device are. */
  identityOf: HeldSessionReader['identityOf'];
  /** How long `connect` waits for WhatsApp, milliseconds. */
  connectTimeoutMs?: number;
}

/** A device as other rooms hand it back, with the state it had when they asked for it. */
type NamedDevice = Pick<Device, 'id' | 'jid'> & Partial<Pick<Device, 'state' | 'stateReason'>>;

export interface ConnectAnswer {
  device: Device;
  /** The device is not linked: it needs a QR or a pairing code first. */
  needsQr: boolean;
}

const CONNECT_TIMEOUT_MS = 20_000;
/** Of a device that may never come online again. */
const FORCE_HELPS = 'POST /logout with force=true unlinks it here alone';
/** The name of a device that pairing creates for a user who has none. */
const IMPLICIT_NAME = 'WhatsApp';

/** The devices of all tenants, as callers may see and command them. */
export class Devices {
  readonly #parts: DevicesParts;
  readonly #store: DeviceStore;
  readonly #supervisor: Supervisor;
  readonly #pairing: Pairing;
  readonly #takingOver: TakingOver;
  readonly #passkeys = new Passkeys();
  /** Users for whom a device is being created, so that two requests do not create two. */
  readonly #creating = new Map<string, Promise<Device>>();

  constructor(parts: DevicesParts) {
    this.#parts = parts;
    this.#store = new DeviceStore(parts.db, parts.events);
    this.#supervisor = new Supervisor({ ...parts, store: this.#store });
    this.#pairing = new Pairing(parts.clock, parts.pairing);
    this.#takingOver = new TakingOver({ ...parts, store: this.#store });
  }

  /** Takes up the stored devices; their connections follow in the background. */
  start(): Promise<void> {
    return this.#supervisor.start();
  }

  /** Closes all sessions; commands throw SHUTTING_DOWN from then on. */
  stop(): Promise<void> {
    return this.#supervisor.stop();
  }

  /** Closes the sessions of a tenant, or of one of its users, before their rows are deleted. */
  release(tenantId: TenantId, userId?: UserId): Promise<void> {
    return this.#supervisor.release(
      (device) => device.tenantId === tenantId && (userId === undefined || device.userId === userId),
    );
  }

  async create(caller: Caller, { name }: { name: string }): Promise<Device> {
    const now = this.#parts.clock.now();
    const device = newDevice({ tenantId: caller.tenantId, userId: caller.userId, name, now });
    const { db, quotas } = this.#parts;
    await db.transaction().execute(async (trx) => {
      await quotas.demand(trx, caller.tenantId, 'devices');
      await this.#store.insert(device, trx);
    });
    return device;
  }

  /**
   * The caller's own devices, oldest first; with `visible` every device the caller may command, which for
   * admins and managers is every one of the tenant.
   */
  async list(caller: Caller, scope: 'own' | 'visible' = 'own'): Promise<Device[]> {
    const owner = scope === 'visible' ? onlyOwner(caller) : caller.userId;
    const stored = await this.#store.list(caller.tenantId, owner);
    return stored.map((device) => this.#live(device));
  }

  /**
   * The device an operation is meant for. A given id must be visible to the caller, else DEVICE_NOT_FOUND;
   * without one see `deviceToUse`.
   */
  async resolve(caller: Caller, deviceId?: DeviceId): Promise<Device> {
    const device =
      deviceId === undefined
        ? ((await this.#onlyConnected(caller)) ?? deviceToUse(await this.list(caller)))
        : await this.#visible(caller, deviceId);
    noteDevice(caller, device.id);
    return device;
  }

  /** The device to link; without an id see `deviceToLink`. A caller who has none at all gets a new one. */
  async resolveForPairing(caller: Caller, deviceId?: DeviceId): Promise<Device> {
    if (deviceId !== undefined) return this.#visible(caller, deviceId);
    const underWay = this.#creating.get(caller.userId);
    if (underWay) return underWay;
    const result = this.#ownOrNew(caller).finally(() => this.#creating.delete(caller.userId));
    this.#creating.set(caller.userId, result);
    return result;
  }

  /** The open session; throws DEVICE_NOT_READY, with the reason, unless the device is connected. */
  session(device: NamedDevice): WhatsAppSession {
    const session = this.openSession(device.id);
    if (session === null) throw deviceNotReady(this.whyNotReady(device) ?? { reason: 'reconnecting' });
    return session;
  }

  /** Why the device cannot be used now; null while it is connected. */
  whyNotReady({ id, jid, state, stateReason }: NamedDevice): NotReady | null {
    const actor = this.#supervisor.find(id);
    if (actor !== null) return actor.notReady;
    if (!state || !stateReason) return null;
    const reason = notReadyReason({ jid, state, stateReason });
    return reason && { reason, device_id: id };
  }

  /** DEVICE_NOT_READY for a device without an open session. */
  async notReady(tenantId: TenantId, deviceId: DeviceId): Promise<AppError> {
    const stored = await this.#store.find(tenantId, deviceId);
    return deviceNotReady((stored && this.whyNotReady(stored)) ?? { reason: 'reconnecting' });
  }

  /** The limit that WhatsApp set for the account of a device taken up by this process; null without one. */
  limitOf(device: Pick<Device, 'id'>): DeviceLimit | null {
    return this.#supervisor.find(device.id)?.device.limit ?? null;
  }

  /** The open session of a device of any tenant, or null. */
  openSession(deviceId: DeviceId): WhatsAppSession | null {
    return this.#supervisor.find(deviceId)?.openSession ?? null;
  }

  /** The connected devices of a tenant. */
  tenantSessions(tenantId: TenantId): { device: Device; session: WhatsAppSession }[] {
    const open: { device: Device; session: WhatsAppSession }[] = [];
    for (const actor of this.#supervisor.all()) {
      const session = actor.openSession;
      if (session !== null && actor.device.tenantId === tenantId)
        open.push({ device: actor.device, session });
    }
    return open;
  }

  /** See `Pairing.qr`. */
  qr(device: Device, fresh: boolean): Promise<PairingQrAnswer> {
    return this.#pairing.qr(this.#supervisor.actor(device), fresh);
  }

  /** The QR that a phone could scan at this moment, or null. */
  currentQr(device: Device): PairingQr | null {
    const actor = this.#supervisor.find(device.id);
    return actor === null ? null : this.#pairing.currentQr(actor);
  }

  /** Throws VALIDATION_ERROR for a phone number that is none: before a device is created for it. */
  checkPhone(phone: string): void {
    phoneDigits(phone);
  }

  /** See `Pairing.code`. */
  pairCode(device: Device, phone: string, fresh: boolean): Promise<PairCodeAnswer> {
    return this.#pairing.code(this.#supervisor.actor(device), phone, fresh);
  }

  /** The passkey step that its linking waits for, or null. */
  currentPasskey(device: Pick<Device, 'id'>): PasskeyStep | null {
    return this.#supervisor.find(device.id)?.passkey.current ?? null;
  }

  /** See `Passkeys.step`. */
  passkey(device: Device): PasskeyStep {
    return this.#passkeys.step(this.#supervisor.actor(device));
  }

  /** See `Passkeys.answer`. */
  answerPasskey(device: Device, assertion: PasskeyAssertion): Promise<PasskeyStep | null> {
    return this.#passkeys.answer(this.#supervisor.actor(device), assertion);
  }

  /** See `Passkeys.confirm`. */
  confirmPasskey(device: Device): Promise<PasskeyStep | null> {
    return this.#passkeys.confirm(this.#supervisor.actor(device));
  }

  /** See `Passkeys.giveUp`. */
  async giveUpPasskey(device: Device): Promise<Device> {
    const actor = this.#supervisor.actor(device);
    await this.#passkeys.giveUp(actor);
    return actor.device;
  }

  /**
   * Brings a linked device online with its stored credentials and waits until it is, or cannot be.
   * Throws DEVICE_NOT_READY when WhatsApp refuses it for good, WHATSAPP_TIMEOUT when it is still trying.
   */
  async connect(device: Device): Promise<ConnectAnswer> {
    const actor = this.#supervisor.actor(device);
    if (actor.device.state === 'connected') return { device: actor.device, needsQr: false };
    if (!actor.linked) return { device: actor.device, needsQr: true };
    await actor.connect();
    const timeoutMs = this.#parts.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
    const outcome = await actor.waitFor(() => outcomeOf(actor), timeoutMs);
    if (outcome === undefined) {
      const { unreachable } = actor;
      const why = unreachable ? unreachableText(unreachable) : actor.device.stateReason;
      throw new AppError('WHATSAPP_TIMEOUT', {
        message: `reconnect failed: ${why}; the gateway keeps trying`,
        ...(unreachable ? { extra: { unreachable } } : {}),
      });
    }
    if (outcome.state === 'connected') return { device: outcome, needsQr: false };
    if (!isLinked(outcome)) return { device: outcome, needsQr: true };
    if (outcome.stateReason === 'gateway_stopped') throw new AppError('SHUTTING_DOWN');
    throw deviceNotReady(this.whyNotReady(outcome) ?? { reason: 'reconnecting' }, {
      message: `reconnect failed: ${outcome.stateReason}`,
    });
  }

  /**
   * Begins the connection anew, because its way has changed, and waits until it is there or has failed; a device
   * that is not online is left as it is.
   */
  async reroute(device: Device): Promise<Device> {
    const actor = this.#supervisor.find(device.id);
    if (actor === null || !(await actor.reroute())) return device;
    const timeoutMs = this.#parts.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
    const settled = () => (actor.device.stateReason === 'proxy_changed' ? undefined : actor.device);
    return (await actor.waitFor(settled, timeoutMs)) ?? actor.device;
  }

  /** Begins the connections of a tenant anew in the background; how many that are. `kept` keep theirs. */
  rerouteAll(tenantId: TenantId, kept: ReadonlySet<string>): number {
    const online = this.#supervisor
      .online()
      .filter(({ device }) => device.tenantId === tenantId && !kept.has(device.id));
    for (const actor of online) {
      actor.reroute().catch((err: unknown) => {
        this.#parts.log.warn({ err, device_id: actor.device.id }, 'a device did not change its way');
      });
    }
    return online.length;
  }

  /** See `TakingOver.refuse`. */
  refuseToTakeOver(caller: Caller, device: Device, identity: HeldIdentity): Promise<void> {
    return this.#takingOver.refuse(caller, this.#supervisor.actor(device), identity);
  }

  /** See `TakingOver.takeOver`; the answer waits, as `connect` does, until the device is connected or cannot be. */
  async takeOver(caller: Caller, device: Device, session: CheckedSession): Promise<Device> {
    const actor = this.#supervisor.actor(device);
    await this.#takingOver.takeOver(caller, actor, session);
    const timeoutMs = this.#parts.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
    return (await actor.waitFor(() => outcomeOf(actor), timeoutMs)) ?? actor.device;
  }

  /** Closes the session, or gives up connecting, and keeps the credentials. Nothing to do is no error. */
  async disconnect(device: Device): Promise<Device> {
    const actor = this.#supervisor.actor(device);
    await actor.disconnect();
    return actor.device;
  }

  /**
   * Unlinks the device. The companion is removed on the server, which needs an open session: throws
   * DEVICE_NOT_READY without one, WHATSAPP_TIMEOUT when the server stays silent. With `localOnly` the
   * credentials are forgotten here alone, for a device that cannot come online any more.
   */
  async logout(device: Device, localOnly: boolean): Promise<Device> {
    const actor = this.#supervisor.actor(device);
    if (!localOnly && actor.notReady) {
      throw deviceNotReady({ ...actor.notReady, ...(actor.linked ? { also: FORCE_HELPS } : {}) });
    }
    await onSession(() => actor.logout(localOnly));
    return actor.device;
  }

  /** What it is called here; WhatsApp and the phone know nothing of it. */
  async rename(device: Device, name: string): Promise<Device> {
    const actor = this.#supervisor.find(device.id);
    const updatedAt = this.#parts.clock.now();
    if (actor) await actor.rename(name);
    else await this.#store.update(device, { name }, updatedAt);
    return actor?.device ?? { ...device, name, updatedAt };
  }

  /**
   * Removes the device for good, with all that it sent and received. A connected one is unlinked first; one that
   * is not stays in its phone's list (`unlinked` is false) until its user takes it out there.
   */
  async remove(device: Device): Promise<{ unlinked: boolean; state: DeletionState }> {
    const actor = this.#supervisor.actor(device);
    const wasLinked = actor.linked;
    if (actor.openSession !== null) await onSession(() => actor.logout(false));
    const unlinked = !wasLinked || !actor.linked;
    await this.#store.markLeaving(device, this.#parts.clock.now());
    await this.#supervisor.release(({ id }) => id === device.id);
    const { tenantId, id: deviceId } = device;
    return { unlinked, state: await this.#parts.deletions.begin({ tenantId, deviceId }) };
  }

  /**
   * What `deviceToUse` chooses first, without reading all that the caller has: most requests name no device,
   * and a caller may have hundreds. A connected device always has an actor.
   */
  async #onlyConnected({ tenantId, userId }: Caller): Promise<Device | null> {
    const [first, ...others] = this.#supervisor.connectedOf(userId);
    if (first === undefined || others.length > 0) return null;
    const stored = await this.#store.find(tenantId, first.device.id);
    return stored && this.#live(stored);
  }

  async #visible(caller: Caller, deviceId: DeviceId): Promise<Device> {
    const stored = await this.#store.find(caller.tenantId, deviceId);
    if (stored === null || !maySee(caller, stored)) throw new AppError('DEVICE_NOT_FOUND');
    return this.#live(stored);
  }

  async #ownOrNew(caller: Caller): Promise<Device> {
    return deviceToLink(await this.list(caller)) ?? this.create(caller, { name: IMPLICIT_NAME });
  }

  /** The stored device as it is at this moment: what its session said last may not be stored yet. */
  #live(stored: Device): Device {
    const actor = this.#supervisor.find(stored.id);
    return actor === null ? stored : { ...actor.device, name: stored.name };
  }
}

/** The device once it is connected or waits for the user, else undefined. */
function outcomeOf(actor: DeviceActor): Device | undefined {
  const { device } = actor;
  const status = statusOf(device);
  const over =
    isTerminal(status) ||
    isTemporaryBan(status) ||
    device.state === 'connected' ||
    device.state === 'disconnected' ||
    device.stateReason === 'gateway_stopped';
  return over ? device : undefined;
}
