import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Json } from '../packages/gateway/test/end-to-end/harness.ts';
import type { Tour } from './tour.ts';
import { answers } from './tour.ts';

/** The guides about labels and chats. */
export function tourOfChats(tour: Tour): void {
  test('labels.md: a label, and what it is on', async () => {
    const [{ label }, { labels }] = answers(await tour.run('make-label'));
    expect(labels).toEqual([{ ...label, chats: 0, messages: 0 }]);
    tour.variables.LABEL = label.id;
    const [chat, message, chats, messages, off] = answers(await tour.run('put-label'));
    expect([chat.labeled, message.message_id, off.labeled]).toEqual([true, tour.variables.ID, false]);
    expect(chats.chats).toMatchObject([{ jid: tour.contact.jid }]);
    expect(messages.messages).toMatchObject([{ message_id: tour.variables.ID }]);
  });

  test('chats.md: the list, and one chat', async () => {
    const [{ chats, count }, { chats: unread }, { chat }] = answers(await tour.run('chats'));
    expect(chats).toHaveLength(count);
    expect(chats.map(({ jid }: Json) => jid)).toContain(tour.variables.GROUP);
    expect(unread.every((each: Json) => each.unread_count > 0 || each.marked_unread)).toBe(true);
    expect(chat).toMatchObject({ jid: tour.contact.jid, type: 'contact' });
  });

  test('chats.md: settings, which the phone has', async () => {
    const [pinned, unpinned, muted, archived, read, marked] = answers(await tour.run('change-chat'));
    expect([pinned.pinned, unpinned.pinned, archived.archived, read.read, marked.read]).toEqual([
      true,
      false,
      true,
      true,
      false,
    ]);
    expect(muted.duration_seconds).toBe(28_800);
    expect(await tour.shop.account.pins()).toEqual([]);
  });

  test('chats.md: messages that disappear', async () => {
    const [week, off] = answers(await tour.run('chat-timer'));
    expect(week).toMatchObject({ chat_jid: tour.contact.jid, preset: '7d', seconds: 604_800 });
    expect(off).toMatchObject({ preset: 'off', seconds: 0 });
  });

  test('chats.md: messages of a chat, and a file of them', async () => {
    const [{ messages }] = answers(await tour.run('export-chat'));
    expect(messages.length).toBeGreaterThan(0);
    const lines = (await readFile(join(tour.folder, 'chat.jsonl'), 'utf8')).trimEnd().split('\n');
    expect(JSON.parse(lines.at(-1) ?? '')).toEqual({ complete: true, count: lines.length - 2 });
  });

  test('chats.md: presence', async () => {
    const [online, typing, subscribed] = answers(await tour.run('presence'));
    expect([online.state, typing.state, subscribed.subject_jid]).toEqual([
      'available',
      'composing',
      tour.contact.jid,
    ]);
  });
}
