/** A whole chat, message by message, with no more than one page of it held. */
import type { DescribedMessage } from '../messages/finding/described-message.ts';
import type { MessageFinder } from '../messages/finding/finder.ts';
import type { Caller } from '../tenancy/caller.ts';
import type { Chat } from './chat.ts';
import type { Chats } from './chats.ts';
import type { ChatName } from './targets.ts';

/** Messages of one query. */
const PAGE = 200;

export interface ChatExport {
  chat: Chat;
  /** From the oldest on. Ends early when the signal is aborted. */
  messages(signal: AbortSignal): AsyncGenerator<DescribedMessage>;
}

export class ChatExports {
  readonly #chats: Chats;
  readonly #finder: MessageFinder;

  constructor(parts: { chats: Chats; finder: MessageFinder }) {
    this.#chats = parts.chats;
    this.#finder = parts.finder;
  }

  /** NOT_FOUND for a chat that nothing is known of. */
  async open(caller: Caller, name: ChatName): Promise<ChatExport> {
    const { deviceId, chat, listed } = await this.#chats.messagesOf(caller, name);
    return { chat: listed, messages: (signal) => this.#pages(caller, { deviceId, chat }, signal) };
  }

  async *#pages(
    caller: Caller,
    of: { deviceId: string; chat: string[] },
    signal: AbortSignal,
  ): AsyncGenerator<DescribedMessage> {
    let cursor: string | undefined;
    do {
      const page = await this.#finder.list(caller, { ...of, order: 'asc', limit: PAGE, cursor });
      for (const message of page.messages) {
        if (signal.aborted) return;
        yield message;
      }
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
  }
}
