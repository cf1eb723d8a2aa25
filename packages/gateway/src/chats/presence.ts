/** Being online, typing, and hearing of others that they are. */

import { invalidField } from '../errors.ts';
import type { SendingDevices } from '../sending/pipeline.ts';
import type { Caller } from '../tenancy/caller.ts';
import { onSession } from '../whatsapp/port/app-errors.ts';
import type { Jid } from '../whatsapp/port/identity.ts';
import type { ChatState, PresenceState } from '../whatsapp/port/presence.ts';
import type { ChatName, ChatTargets } from './targets.ts';

export class Presences {
  readonly #devices: SendingDevices;
  readonly #targets: ChatTargets;

  constructor(parts: { devices: SendingDevices; targets: ChatTargets }) {
    this.#devices = parts.devices;
    this.#targets = parts.targets;
  }

  /** Shows the account as online or not, until the connection ends. */
  async send(caller: Caller, deviceId: string | undefined, state: PresenceState): Promise<void> {
    const device = await this.#devices.resolve(caller, deviceId);
    const session = this.#devices.session(device);
    await onSession(() => session.presence.send(state));
  }

  async type(caller: Caller, name: ChatName, state: ChatState): Promise<Jid> {
    const { session, to, jid } = await this.#targets.target(caller, name);
    await onSession(() => session.presence.sendChatState(to, state));
    return jid;
  }

  /** `online`: shows the account as online first, for WhatsApp tells nothing to who is not. */
  async subscribe(caller: Caller, name: ChatName, { online }: { online: boolean }): Promise<Jid> {
    const { session, to, jid, isGroup } = await this.#targets.target(caller, name);
    if (isGroup)
      throw invalidField('jid', 'must name a person: groups have no presence', name.jid.slice(0, 100));
    await onSession(async () => {
      if (online) await session.presence.send('available');
      await session.presence.subscribe(to);
    });
    return jid;
  }
}
