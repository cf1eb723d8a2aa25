/** When the messages of a chat disappear, set for everybody in it. */
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import { invalidField } from '../errors.ts';
import { learnTimer } from '../messages/chat-timers.ts';
import type { Composed, Content } from '../sending/content.ts';
import type { Sending } from '../sending/pipeline.ts';
import { parseRecipient } from '../sending/recipients.ts';
import type { Database } from '../storage/schema.ts';
import type { Caller } from '../tenancy/caller.ts';
import { onSession } from '../whatsapp/port/app-errors.ts';
import type { Jid } from '../whatsapp/port/identity.ts';
import type { ChatName, ChatTargets } from './targets.ts';

/** What the apps offer, in seconds. */
export const PRESETS = { off: 0, '24h': 86_400, '7d': 604_800, '90d': 7_776_000 } as const;

export type Preset = keyof typeof PRESETS;

export interface WantedTimer {
  preset?: Preset | undefined;
  /** 0: off. */
  seconds?: number | undefined;
}

/** A year; the apps ignore what they do not offer. */
export const LONGEST_SECONDS = 365 * 86_400;

/** waE2E.ProtocolMessage.Type. */
const EPHEMERAL_SETTING = 3;

export class ChatTimerSettings {
  readonly #parts: { targets: ChatTargets; sending: Sending; db: Kysely<Database>; clock: Clock };

  constructor(parts: { targets: ChatTargets; sending: Sending; db: Kysely<Database>; clock: Clock }) {
    this.#parts = parts;
  }

  /** Resolves once WhatsApp has it, with the time of it in milliseconds. */
  async set(
    caller: Caller,
    name: ChatName,
    wanted: WantedTimer,
  ): Promise<{ jid: Jid; seconds: number; at: number }> {
    const { targets, sending, db, clock } = this.#parts;
    const { device, session, chat, to, jid, isGroup } = await targets.target(caller, name);
    const seconds = secondsOf(wanted);
    let at = clock.now();
    if (isGroup) {
      await onSession(() => session.groups.change(to, { name: 'ephemeral', value: seconds }));
    } else {
      const address = parseRecipient(to, 'jid');
      const sent = await sending.send(caller, { deviceId: device.id, address, content: setting(seconds) });
      at = sent.timestamp;
    }
    // Nobody tells us what we have done ourselves.
    await learnTimer(db, device, { chat, seconds, setAt: at });
    return { jid, seconds, at };
  }
}

/** The seconds that a request names, by a preset or by themselves. Throws VALIDATION_ERROR. */
function secondsOf({ preset, seconds }: WantedTimer): number {
  const named = preset === undefined ? undefined : PRESETS[preset];
  if (named !== undefined && seconds !== undefined && named !== seconds) {
    throw invalidField('seconds', 'is another time than preset', seconds);
  }
  const wanted = named ?? seconds;
  if (wanted === undefined) throw invalidField('preset', 'is required, or seconds');
  if (wanted > LONGEST_SECONDS) throw invalidField('seconds', `must be at most ${LONGEST_SECONDS}`, wanted);
  return wanted;
}

export function presetOf(seconds: number): Preset | null {
  const names = Object.keys(PRESETS) as Preset[];
  return names.find((name) => PRESETS[name] === seconds) ?? null;
}

/** In a chat of two either side sets it by a message (whatsmeow send.go SetDisappearingTimer). */
function setting(seconds: number): Content {
  const composed: Composed = {
    kind: 'protocol',
    text: null,
    message: { protocolMessage: { type: EPHEMERAL_SETTING, ephemeralExpiration: seconds } },
  };
  return { chatState: 'composing', compose: async () => composed };
}
