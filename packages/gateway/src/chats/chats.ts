/** The chats of a caller's device, from what is stored: no traffic. */

import type { MessageArchive } from '../messages/archive.ts';
import type { KnownTimer } from '../messages/chat-timers.ts';
import type { StoredMessage } from '../messages/stored-message.ts';
import type { DeviceDirectory } from '../messages/visible.ts';
import type { Caller } from '../tenancy/caller.ts';
import type { Jid } from '../whatsapp/port/identity.ts';
import type { Chat } from './chat.ts';
import type { ChatFilter, ChatStore } from './chat-store.ts';
import type { ChatName, ChatTargets } from './targets.ts';

export interface ListedChat {
  chat: Chat;
  /** The newest message that it shows. */
  last: StoredMessage | null;
}

export interface ListedPage {
  chats: ListedChat[];
  nextCursor: string | null;
}

export interface ChatsParts {
  devices: DeviceDirectory;
  store: ChatStore;
  targets: ChatTargets;
  archive: MessageArchive;
}

export class Chats {
  readonly #parts: ChatsParts;

  constructor(parts: ChatsParts) {
    this.#parts = parts;
  }

  async list(caller: Caller, deviceId: string | undefined, filter: ChatFilter): Promise<ListedPage> {
    const { devices, store } = this.#parts;
    const device = await devices.resolve(caller, deviceId);
    const { chats, nextCursor } = await store.list(device, filter);
    const last = await store.lastMessages(device, chats);
    return {
      chats: chats.map((chat) => ({ chat, last: last.get(chat.lastRowId ?? '') ?? null })),
      nextCursor,
    };
  }

  /** NOT_FOUND for a chat that nothing is known of. */
  async get(caller: Caller, name: ChatName): Promise<ListedChat & { timer: KnownTimer | null }> {
    const { device, chat } = await this.#parts.targets.known(caller, name);
    const last = await this.#parts.store.lastMessages(device, [chat]);
    const timer = await this.#parts.archive.chats.timerOf(device, chat.chat);
    return { chat, last: last.get(chat.lastRowId ?? '') ?? null, timer };
  }

  /** The device and every name of a chat, as lists of messages take them. */
  async messagesOf(caller: Caller, name: ChatName): Promise<{ deviceId: string; chat: Jid[]; listed: Chat }> {
    const { device, chat } = await this.#parts.targets.known(caller, name);
    const { jid, lid } = chat.chat;
    return { deviceId: device.id, chat: [jid, lid].filter((each) => each !== null), listed: chat };
  }
}
