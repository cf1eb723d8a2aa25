import { AsyncLocalStorage } from 'node:async_hooks';
import type { SignalDataTypeMap, SignalKeyStore } from '../library.ts';

/** What the library logs right before the stanza of a message is written (messages-send.js `relayMessage`). */
export const LEAVING = ['sending message to ', 'sending newsletter message to '];
/** What it logs for a device that the message could not be encrypted for (`createParticipantNodes`). */
export const NOT_ENCRYPTED = 'Failed to encrypt for recipient';
/** What it logs when it has learnt devices of people, before it begins sessions anew with them (`getUSyncDevices`). */
export const DEVICES_LEARNT = 'Storing LID maps from device call';
/** What it logs at each look for sessions that are missing, and where it begins all anew (`assertSessions`). */
export const LOOKING_FOR_SESSIONS = 'assertSessions call with jids';
/** Which devices of a group have our sender key, by the group. */
export const SENDER_KEY_MEMORY = 'sender-key-memory';

const running = new AsyncLocalStorage<Departure>();

/**
 * One message on its way through the library, which says only in its log, in the async context of whoever sends,
 * what it is about to do: that the stanza leaves now, which devices it is not for, that it begins sessions.
 */
export class Departure {
  #announced = false;
  #left = false;
  #calledOff = false;
  #sessionsAnew = false;
  /** Devices that it could not be encrypted for, and why. */
  readonly unreached = new Map<string, string>();
  /** Devices whose keys were forged. */
  readonly forged = new Set<string>();

  /** Runs what sends the message. */
  during<T>(work: () => Promise<T>): Promise<T> {
    return running.run(this, work);
  }

  /**
   * True when nothing has left, and from then on nothing will: the library goes on when the call was given up,
   * even after a question without an answer.
   */
  callOff(): boolean {
    this.#calledOff = !this.#left;
    return this.#calledOff;
  }

  /** The stanza is about to be written. Throws into the library when it was called off. */
  announce(): void {
    if (this.#calledOff) throw new Error('the message was given up before it left');
    this.#announced = true;
  }

  /** Devices were learnt: what looks for sessions next would begin all of them anew. */
  learntDevices(): void {
    this.#sessionsAnew = true;
  }

  /**
   * Throws into the library where it would begin a session anew with everybody of whom it has learnt a device, as it
   * does at the first message to a person after each start, and every five minutes. It goes on without: what is
   * missing is looked for next, and asked for. A session begun anew costs the person a pre-key, and crosses with
   * what they are writing.
   */
  lookForSessions(): void {
    if (!this.#sessionsAnew) return;
    this.#sessionsAnew = false;
    throw new Error('sessions that are there are used on');
  }

  /** A frame goes to the socket: that of the message, or of a question before it. */
  frame(): void {
    this.#left ||= this.#announced;
  }
}

/** Reads a line of the library's log; `first` is what it logs beside the text. */
export function followDeparture(text: string, first: unknown): void {
  const departure = running.getStore();
  if (!departure) return;
  if (LEAVING.some((start) => text.startsWith(start))) departure.announce();
  if (text === DEVICES_LEARNT) departure.learntDevices();
  if (text === LOOKING_FOR_SESSIONS) departure.lookForSessions();
  if (text !== NOT_ENCRYPTED) return;
  const { jid, err } = first as { jid?: unknown; err?: unknown };
  if (typeof jid === 'string') noteUnreached(jid, err);
}

/** The message could not be encrypted for a device. */
export function noteUnreached(jid: string, error: unknown): void {
  running.getStore()?.unreached.set(jid, error instanceof Error ? error.message : 'unknown error');
}

/** A stanza that the library does not build itself is about to be written. Throws when it was called off. */
export function announceDeparture(): void {
  running.getStore()?.announce();
}

/** The keys that the server gave for a device are not its own. */
export function noteForged(device: string): void {
  running.getStore()?.forged.add(device);
}

/** A frame is handed to the socket. */
export function frameLeaves(): void {
  running.getStore()?.frame();
}

/**
 * The key store for the library, which notes for every device of a group that it has our sender key, also for those
 * that it could not encrypt it for: they would never get it. When such a device is the only one that lacks the key,
 * the library sends nothing to anybody (`All encryptions failed`): while the message is tried again, the device
 * passes for one that has it.
 */
export function withoutUnreached(keys: SignalKeyStore): SignalKeyStore {
  return {
    ...keys,
    get: async (type, ids) => {
      const found = await keys.get(type, ids);
      const unreached = type === SENDER_KEY_MEMORY ? running.getStore()?.unreached : undefined;
      if (!unreached?.size) return found;
      const had = Object.fromEntries([...unreached.keys()].map((jid) => [jid, true]));
      return Object.fromEntries(
        ids.map((id) => [id, { ...(found[id] as SignalDataTypeMap[typeof SENDER_KEY_MEMORY]), ...had }]),
      ) as typeof found;
    },
    set: async (data) => {
      const unreached = running.getStore()?.unreached;
      const memory = data[SENDER_KEY_MEMORY];
      if (!unreached?.size || !memory) return keys.set(data);
      const kept = Object.entries(memory).map(([group, devices]) => [
        group,
        devices && Object.fromEntries(Object.entries(devices).filter(([jid]) => !unreached.has(jid))),
      ]);
      return keys.set({ ...data, [SENDER_KEY_MEMORY]: Object.fromEntries(kept) });
    },
  };
}
