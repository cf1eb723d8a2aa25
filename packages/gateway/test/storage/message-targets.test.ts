import type { Kysely } from 'kysely';
import { expect, it } from 'vitest';
import { down, up } from '../../src/storage/sqlite/migrations/0003-message-targets.ts';
import { ArchiveWorld, inbound } from '../messages/archive-world.ts';

it('messages of an earlier version learn which message they speak of', async () => {
  const world = await ArchiveWorld.create();
  try {
    const device = await world.device(await world.tenant());
    const reaction = inbound({ content: { kind: 'reaction', text: '👍', targetId: '3EB0TARGET' } });
    const text = inbound({ content: { mentions: ['1@lid'] } });
    await world.archive.storeInbound(device, reaction);
    await world.archive.storeInbound(device, text);
    await world.archive.storeInbound(device, inbound());
    const db = world.db as unknown as Kysely<unknown>;
    await down(db);
    await up(db);
    const rows = await world.db
      .selectFrom('messages')
      .select(['message_id', 'target_id'])
      .where('target_id', 'is not', null)
      .execute();
    expect(rows).toEqual([{ message_id: reaction.id, target_id: '3EB0TARGET' }]);
  } finally {
    await world.destroy();
  }
});
