/** Stands before the rooms that store what sessions report: leaves out what a device is deaf to, and marks as read. */
import type { Clock } from '../clock.ts';
import type { SessionReports } from '../devices/composition.ts';
import type { Device, Devices } from '../devices/devices.ts';
import { NOT_READ } from '../messages/shown-kinds.ts';
import type { Log } from '../observability/log.ts';
import type { Identity } from '../whatsapp/port/identity.ts';
import { type InboundMessage, isPast } from '../whatsapp/port/messages.ts';
import { type ChatKind, kindOfChat, kindOfMessage } from './chat-kind.ts';
import type { DeviceSettings, SettingsStore } from './settings-store.ts';

export interface EntranceParts {
  store: SettingsStore;
  devices: Pick<Devices, 'openSession'>;
  clock: Clock;
  log: Log;
  /** Counts what was left out. */
  ignored(): void;
}

export type Guarded = Pick<SessionReports, 'message' | 'history' | 'hasReceived'>;

export class Entrance {
  readonly #parts: EntranceParts;

  constructor(parts: EntranceParts) {
    this.#parts = parts;
  }

  /** The same reports, with what a device is deaf to left out. What is left out is acknowledged all the same. */
  guard(reports: Guarded): Guarded {
    return {
      message: async (device, message) => {
        const settings = await this.#parts.store.of(device);
        if (ignores(settings, kindOfMessage(message))) {
          this.#parts.ignored();
          return;
        }
        await reports.message(device, message);
        this.#read(device, message, settings);
      },
      history: async (device, batch) => {
        const settings = await this.#parts.store.of(device);
        const kept = (chat: Identity): boolean => !ignores(settings, kindOfChat(chat));
        await reports.history(device, {
          ...batch,
          messages: batch.messages.filter(
            (message) => kept(message.chat) && !ignores(settings, kindOfMessage(message)),
          ),
          timers: batch.timers.filter(({ chat }) => kept(chat)),
          chats: batch.chats.filter(({ chat }) => kept(chat)),
        });
      },
      // One that was left out is not asked for again when its acknowledgement was lost.
      hasReceived: async (device, message) =>
        ignores(await this.#parts.store.of(device), kindOfMessage(message)) ||
        reports.hasReceived(device, message),
    };
  }

  /** Once it is stored: what was not stored was not read. A connection that ends meanwhile leaves it unread. */
  #read(device: Device, message: InboundMessage, { read }: DeviceSettings): void {
    const { id, chat, sender, fromMe, isGroup, content, source } = message;
    const kind = kindOfChat(chat);
    if (fromMe || isPast(source) || NOT_READ.includes(content.kind)) return;
    if (!read.some((each) => each === kind)) return;
    const receipt = {
      kind: 'read' as const,
      chat,
      sender: isGroup ? sender : null,
      list: content.broadcast?.list ?? null,
      messageIds: [id],
      at: this.#parts.clock.now(),
    };
    this.#parts.devices
      .openSession(device.id)
      ?.receipts.send(receipt)
      .catch((err: unknown) => {
        this.#parts.log.info({ err, device_id: device.id }, 'a message was not marked as read');
      });
  }
}

function ignores({ ignored }: DeviceSettings, kind: ChatKind): boolean {
  return ignored.some((each) => each === kind);
}
