/** Taking over a session that another program held: which device may, and that no session is held twice. */
import { AppError, type ErrorCode } from '../errors.ts';
import type { Caller } from '../tenancy/caller.ts';
import { maySee } from '../tenancy/visibility.ts';
import type { CheckedSession, HeldIdentity, HeldSessionReader } from '../whatsapp/port/moving.ts';
import type { Device } from './device.ts';
import type { DeviceActor } from './device-actor.ts';
import type { KeptCredentials } from './device-actor-parts.ts';
import type { DeviceStore } from './device-store.ts';
import { refuseLinked } from './pairing.ts';

/** How taking over can end, beside what is wrong with the session. */
export const TAKING_OVER_FAILURES = [
  'ALREADY_CONNECTED',
  'ALREADY_PAIRED',
  'SESSION_HELD_HERE',
] as const satisfies readonly ErrorCode[];

export interface TakingOverParts {
  store: DeviceStore;
  credentialsFor(device: Device): KeptCredentials;
  identityOf: HeldSessionReader['identityOf'];
}

export class TakingOver {
  readonly #parts: TakingOverParts;
  /** One at a time in the process, which is the only one that has the database: two of one session would both look first. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: TakingOverParts) {
    this.#parts = parts;
  }

  /**
   * Throws ALREADY_CONNECTED or ALREADY_PAIRED for a device that is linked, SESSION_HELD_HERE when another one holds
   * this very session. Another companion of the same account is no hindrance, as with linking: to have its keys is to
   * have been let in.
   */
  async refuse(caller: Caller, actor: DeviceActor, { jid, identityKey }: HeldIdentity): Promise<void> {
    refuseLinked(actor);
    const { store, credentialsFor, identityOf } = this.#parts;
    for (const other of await store.linkedTo(jid)) {
      if (other.id === actor.device.id) continue;
      const credentials = await credentialsFor(other).readCredentials();
      const held = credentials && identityOf(credentials);
      if (!held || !Buffer.from(held.identityKey).equals(identityKey)) continue;
      // Whose it is, is for those alone who may see it.
      throw new AppError('SESSION_HELD_HERE', {
        extra: maySee(caller, other) ? { device_ids: [other.id] } : {},
      });
    }
  }

  /** Stores the session for the device and begins to connect. Throws what `refuse` throws; then nothing is stored. */
  takeOver(caller: Caller, actor: DeviceActor, session: CheckedSession): Promise<void> {
    const done = this.#last.then(async () => {
      await this.refuse(caller, actor, session.identity);
      if (await actor.takeOver(session)) return;
      refuseLinked(actor);
      throw new AppError('DEVICE_NOT_FOUND');
    });
    this.#last = done.catch(() => undefined);
    return done;
  }
}
