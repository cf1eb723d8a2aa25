import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import { ManualClock } from '../../src/clock.ts';
import { MessageArchive } from '../../src/messages/archive.ts';
import { Keepers } from '../../src/messages/keepers.ts';
import type { MessageDevice, StoredMessage } from '../../src/messages/stored-message.ts';
import { createLog } from '../../src/observability/log.ts';
import type { Database } from '../../src/storage/schema.ts';
import { Vault } from '../../src/storage/vault.ts';
import type { Caller } from '../../src/tenancy/caller.ts';
import { wireCodec } from '../../src/whatsapp/baileys/parse/wire-codec.ts';
import type { MessageContent } from '../../src/whatsapp/port/content.ts';
import type { Identity } from '../../src/whatsapp/port/identity.ts';
import type { InboundMessage } from '../../src/whatsapp/port/messages.ts';
import { addDevice, addTenant, addUser, openTestDatabase, type TestDatabase } from '../worlds/database.ts';

export const NOW = Date.UTC(2026, 5, 15, 12);

export const ALICE: Identity = { jid: '5511999990001@s.whatsapp.net', lid: '111111111111111@lid' };
export const BOB: Identity = { jid: '5511999990002@s.whatsapp.net', lid: '222222222222222@lid' };
export const CAROL: Identity = { jid: '5511999990003@s.whatsapp.net', lid: '333333333333333@lid' };
export const GROUP: Identity = { jid: '120363039000000000@g.us', lid: null };

export interface TestDevice extends MessageDevice {
  userId: string;
}

/** An archive on a real SQLite database, with as many tenants and devices as a test asks for. */
export class ArchiveWorld {
  readonly db: Kysely<Database>;
  readonly vault = new Vault(randomBytes(32));
  readonly clock = new ManualClock(NOW);
  readonly keepers = new Keepers();
  readonly log = createLog({ level: 'silent', format: 'json' });
  readonly archive: MessageArchive;
  readonly stored: StoredMessage[] = [];
  readonly dataDir: string;
  readonly destroy: () => Promise<void>;

  private constructor({ db, dataDir, close }: TestDatabase) {
    this.db = db;
    this.dataDir = dataDir;
    this.destroy = close;
    const { vault, clock } = this;
    this.archive = new MessageArchive({
      db,
      vault,
      clock,
      codec: wireCodec,
      keepers: this.keepers,
      onStored: (message) => this.stored.push(message),
    });
  }

  static async create(): Promise<ArchiveWorld> {
    return new ArchiveWorld(await openTestDatabase({ sync: 'normal' }));
  }

  async tenant(role: Caller['role'] = 'admin'): Promise<Caller> {
    const tenantId = await addTenant(this.db, NOW);
    return this.user(tenantId, role);
  }

  async user(tenantId: string, role: Caller['role']): Promise<Caller> {
    return addUser(this.db, NOW, { tenantId, role });
  }

  async device(owner: Caller, account: Identity = ALICE): Promise<TestDevice> {
    const id = await addDevice(this.db, NOW, owner, account);
    return { id, tenantId: owner.tenantId, userId: owner.userId, ...account };
  }

  /** A text of ours, sent and acknowledged. */
  async sentText(device: MessageDevice, options: { id?: string; chat?: Identity; text?: string } = {}) {
    const chat = options.chat ?? BOB;
    const text = options.text ?? 'hello';
    const message = await this.archive.outbound.create({
      device,
      messageId: options.id ?? messageId(),
      chat,
      isGroup: chat.jid?.endsWith('@g.us') ?? false,
      message: { conversation: text },
      content: { kind: 'text', text },
    });
    await this.archive.outbound.markSent(message, { timestamp: this.clock.now() });
    return message;
  }

  /** The one copy of a message in a tenant. */
  async only(tenantId: string, id: string): Promise<StoredMessage> {
    const found = await this.archive.stored.withId(tenantId, id);
    if (found.length !== 1 || !found[0]) throw new Error(`${found.length} copies of ${id}`);
    return found[0];
  }
}

export function messageId(): string {
  return `3EB0${randomBytes(9).toString('hex').toUpperCase()}`;
}

type InboundOptions = Partial<Omit<InboundMessage, 'content'>> & { content?: Partial<MessageContent> };

/** A text from Bob, or whatever the options make of it. */
export function inbound(options: InboundOptions = {}): InboundMessage {
  const text = options.content?.text ?? 'hi';
  return {
    id: messageId(),
    chat: BOB,
    isGroup: false,
    sender: BOB,
    fromMe: false,
    timestamp: NOW,
    pushName: 'Bob',
    raw: wireCodec.encode({ conversation: text }),
    offline: false,
    source: 'phone',
    ...options,
    content: {
      kind: 'text',
      text,
      media: null,
      quoted: null,
      mentions: [],
      forwarded: false,
      viewOnce: false,
      ephemeralSeconds: null,
      targetId: null,
      ...options.content,
    },
  };
}
