/** Changes of a chat that all devices of the account follow: pin, mute, archive, read, clear, delete. */
import type { Clock } from '../clock.ts';
import type { Caller } from '../tenancy/caller.ts';
import type { AccountChange, MessageRange } from '../whatsapp/port/account.ts';
import { onSession } from '../whatsapp/port/app-errors.ts';
import type { Jid } from '../whatsapp/port/identity.ts';
import type { Clearing } from './clearing.ts';
import type { NewestMessages } from './newest-messages.ts';
import type { ChatName, ChatTarget, ChatTargets } from './targets.ts';

export interface ChatChangesParts {
  targets: ChatTargets;
  newest: NewestMessages;
  clearing: Clearing;
  clock: Clock;
}

/** Each resolves with the chat once WhatsApp has the change; each throws what `CHAT_CHANGE_FAILURES` lists. */
export class ChatChanges {
  readonly #parts: ChatChangesParts;

  constructor(parts: ChatChangesParts) {
    this.#parts = parts;
  }

  async pin(caller: Caller, name: ChatName, pinned: boolean): Promise<Jid> {
    const target = await this.#parts.targets.target(caller, name);
    await change(target, { name: 'chat.pin', chat: target.chat, pinned });
    return target.jid;
  }

  /** For so many seconds; undefined: for ever. */
  async mute(
    caller: Caller,
    name: ChatName,
    { muted, seconds }: { muted: boolean; seconds: number | undefined },
  ): Promise<Jid> {
    const target = await this.#parts.targets.target(caller, name);
    const ends = muted && seconds !== undefined ? this.#parts.clock.now() + seconds * 1000 : null;
    await change(target, { name: 'chat.mute', chat: target.chat, muted, mutedUntil: ends });
    return target.jid;
  }

  /** A chat that is archived is no longer pinned (whatsmeow appstate/encode.go BuildArchive). */
  async archive(
    caller: Caller,
    name: ChatName,
    { archived, lastAt }: { archived: boolean; lastAt?: number | undefined },
  ): Promise<Jid> {
    const target = await this.#parts.targets.target(caller, name);
    const counts = await this.#range(target, lastAt);
    await change(target, { name: 'chat.archive', chat: target.chat, archived, ...counts });
    if (archived && target.known?.pinned) {
      await change(target, { name: 'chat.pin', chat: target.chat, pinned: false });
    }
    return target.jid;
  }

  /** `receipts`: the authors of what is unread are told that it was read, as far as the account shows that. */
  async read(caller: Caller, name: ChatName, { receipts }: { receipts: boolean }): Promise<Jid> {
    const target = await this.#parts.targets.target(caller, name);
    if (receipts) await this.#sendReceipts(target);
    const counts = await this.#range(target);
    await change(target, { name: 'chat.mark_as_read', chat: target.chat, read: true, ...counts });
    return target.jid;
  }

  async markUnread(caller: Caller, name: ChatName): Promise<Jid> {
    const target = await this.#parts.targets.target(caller, name);
    const counts = await this.#range(target);
    await change(target, { name: 'chat.mark_as_read', chat: target.chat, read: false, ...counts });
    return target.jid;
  }

  /** Its messages go, on our side alone; resolves when they are not shown any more. */
  async clear(caller: Caller, name: ChatName, { keepsStarred }: { keepsStarred: boolean }): Promise<Jid> {
    const target = await this.#parts.targets.target(caller, name);
    const counts = await this.#range(target);
    await change(target, { name: 'chat.clear', chat: target.chat, keepsStarred, ...counts });
    await this.#parts.clearing.done(target.device.tenantId);
    return target.jid;
  }

  /** The same, and the chat goes from the list until something is written in it. */
  async remove(caller: Caller, name: ChatName): Promise<Jid> {
    const target = await this.#parts.targets.target(caller, name);
    const counts = await this.#range(target);
    await change(target, { name: 'chat.delete', chat: target.chat, ...counts });
    await this.#parts.clearing.done(target.device.tenantId);
    return target.jid;
  }

  async #sendReceipts({ device, session, chat, isGroup, known }: ChatTarget): Promise<void> {
    const at = this.#parts.clock.now();
    if (!known) return;
    const unread = { readAt: known.readAt, count: known.unreadCount };
    for (const batch of await this.#parts.newest.unread(device, chat, unread)) {
      const sender = isGroup ? batch.sender : null;
      const { list, messageIds } = batch;
      await onSession(() => session.receipts.send({ kind: 'read', at, chat, sender, list, messageIds }));
    }
  }

  /** Up to which message the change counts: the newest, or `lastAt` where the caller knows better. */
  async #range(
    { device, chat }: ChatTarget,
    lastAt?: number,
  ): Promise<{ upTo: number; range: MessageRange }> {
    const messages = await this.#parts.newest.of(device, chat);
    const upTo = lastAt ?? messages[0]?.timestamp ?? this.#parts.clock.now();
    return { upTo, range: { messages: messages.filter(({ timestamp }) => timestamp <= upTo) } };
  }
}

async function change({ session }: ChatTarget, wanted: AccountChange): Promise<void> {
  await onSession(() => session.account.change(wanted));
}
