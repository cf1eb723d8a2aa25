/** Fetches the state that the devices of an account share, by the words of the public API. */
import type { MessageDevice } from '../messages/stored-message.ts';
import type { SendingDevices } from '../sending/pipeline.ts';
import type { StateCollection } from '../whatsapp/port/account.ts';
import { onSession } from '../whatsapp/port/app-errors.ts';

/** What is in which collection: whatsmeow appstate/keys.go (`WAPatch…`) and encode.go (`Build…`). */
export const STATE_SCOPES = {
  contacts: ['critical_unblock_low'],
  chats: ['regular_low', 'regular_high', 'regular'],
  settings: ['critical_block', 'regular_low', 'regular'],
  pins: ['regular_low'],
  critical: ['critical_block', 'critical_unblock_low'],
} as const satisfies Record<string, readonly StateCollection[]>;

export type StateScope = keyof typeof STATE_SCOPES;

export class StateSync {
  readonly #devices: SendingDevices;

  constructor(devices: SendingDevices) {
    this.#devices = devices;
  }

  /** Resolves when it is applied. Throws DEVICE_NOT_READY, and as `onSession`. */
  async sync(device: MessageDevice, scopes: readonly StateScope[], full: boolean): Promise<void> {
    const session = this.#devices.session(device);
    const collections = [
      ...new Set(scopes.flatMap((scope): readonly StateCollection[] => STATE_SCOPES[scope])),
    ];
    await onSession(() => session.account.sync(collections, { anew: full }));
  }
}
