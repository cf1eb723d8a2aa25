/** The statements on the table of stories. */
import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { DeviceId, RecordId, TenantId } from '../ids.ts';
import { receiptsOf } from '../messages/incoming-receipts.ts';
import type { StoredMessage } from '../messages/stored-message.ts';
import { checkedTenant } from '../storage/narrowing.ts';
import type { Database } from '../storage/schema.ts';
import type { StoriesTable } from '../storage/tables/story-tables.ts';
import type { Jid } from '../whatsapp/port/identity.ts';
import { type Story, type StoryState, storyFromRow } from './story.ts';

export type NewStory = Pick<
  Story,
  'tenantId' | 'deviceId' | 'userId' | 'account' | 'messageRowId' | 'messageId' | 'audience'
>;

/** How a story moves: what is not given stays. */
export interface StoryMove {
  position?: number;
  refused?: number;
  failures?: number;
  error?: string | null;
  dueAt?: number;
  /** An end. */
  state?: Exclude<StoryState, 'posting'>;
}

/** Each audience may have thousands of names. */
const FORGOTTEN_AT_ONCE = 100;

export class StoryStore {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  /** Writes a story before anything of it leaves; at `dueAt` its first portion is taken to have failed. */
  async create(story: NewStory, { now, dueAt }: { now: number; dueAt: number }): Promise<Story> {
    const row: StoriesTable = {
      id: randomUUID(),
      tenant_id: story.tenantId,
      device_id: story.deviceId,
      user_id: story.userId,
      account: story.account,
      message_row_id: story.messageRowId,
      message_id: story.messageId,
      audience: JSON.stringify(story.audience),
      total: story.audience.length,
      position: 0,
      refused: 0,
      state: 'posting',
      error: null,
      failures: 0,
      due_at: dueAt,
      created_at: now,
      finished_at: null,
    };
    await this.#db.insertInto('stories').values(row).execute();
    return storyFromRow(row);
  }

  /** Begins the story of a message anew, where an earlier attempt to send it had written one. */
  async begin(
    tenantId: TenantId,
    messageRowId: RecordId,
    audience: readonly Jid[],
    { now, dueAt }: { now: number; dueAt: number },
  ): Promise<Story | null> {
    const row = await this.#db
      .updateTable('stories')
      .set({
        audience: JSON.stringify(audience),
        total: audience.length,
        position: 0,
        refused: 0,
        failures: 0,
        state: 'posting',
        error: null,
        due_at: dueAt,
        created_at: now,
        finished_at: null,
      })
      .where(checkedTenant(tenantId))
      .where('message_row_id', '=', messageRowId)
      .returningAll()
      .executeTakeFirst();
    return row ? storyFromRow(row) : null;
  }

  /** The unfinished one that is due first, and when; none of the devices that are busy. */
  async next(busy: readonly DeviceId[]): Promise<{ story: Story; dueAt: number } | null> {
    const row = await this.#db
      .selectFrom('stories')
      .selectAll()
      .where('finished_at', 'is', null)
      .$if(busy.length > 0, (query) => query.where('device_id', 'not in', busy))
      .orderBy('due_at')
      .limit(1)
      .executeTakeFirst();
    return row ? { story: storyFromRow(row), dueAt: row.due_at } : null;
  }

  /** Moves it and gives it as it is then; one that has ended stays as it is. */
  async move(story: Story, move: StoryMove, now: number): Promise<Story> {
    const { position, refused, failures, error, dueAt, state } = move;
    const query = this.#db
      .updateTable('stories')
      .set({
        ...(position === undefined ? {} : { position }),
        ...(refused === undefined ? {} : { refused }),
        ...(failures === undefined ? {} : { failures }),
        ...(error === undefined ? {} : { error }),
        ...(dueAt === undefined ? {} : { due_at: dueAt }),
        ...(state === undefined ? {} : { state, finished_at: now }),
      })
      .where(checkedTenant(story.tenantId))
      .where('id', '=', story.id)
      .returningAll();
    const unended = state === 'deleted' ? query : query.where('finished_at', 'is', null);
    const row = await unended.executeTakeFirst();
    return row ? storyFromRow(row) : story;
  }

  /** Forgets whom some of the stories that were made before were for, and says how many. Unfinished ones are needed. */
  async forgetAudiences(before: number): Promise<number> {
    const old = await this.#db
      .selectFrom('stories')
      .select('id')
      .where(sql<boolean>`audience <> '[]'`)
      .where('created_at', '<', before)
      .where(sql<boolean>`finished_at is not null`)
      .orderBy('created_at')
      .limit(FORGOTTEN_AT_ONCE)
      .execute();
    if (old.length === 0) return 0;
    await this.#db
      .updateTable('stories')
      .set({ audience: '[]' })
      .where(
        'id',
        'in',
        old.map(({ id }) => id),
      )
      .execute();
    return old.length;
  }

  /** The story of a message. */
  async ofMessage(tenantId: TenantId, messageRowId: RecordId): Promise<Story | null> {
    const row = await this.#db
      .selectFrom('stories')
      .selectAll()
      .where(checkedTenant(tenantId))
      .where('message_row_id', '=', messageRowId)
      .limit(1)
      .executeTakeFirst();
    return row ? storyFromRow(row) : null;
  }

  /** How many people have seen it, and say so by a receipt. */
  async views(message: StoredMessage): Promise<number> {
    const receipts = await receiptsOf(this.#db, message);
    const seen = receipts.filter(({ kind }) => kind === 'read' || kind === 'played');
    return new Set(seen.map(({ recipientJid }) => recipientJid)).size;
  }
}
