/** What is stored and told of a message is bounded; its own bytes stay whole. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EventStore } from '../../src/events/event-store.ts';
import { EventOutbox } from '../../src/events/outbox.ts';
import { EventReader, PAGE_BYTES } from '../../src/events/reader.ts';
import { MessageArchive } from '../../src/messages/archive.ts';
import {
  boundedDetails,
  cutText,
  LONGEST_LIST,
  LONGEST_NAME,
  LONGEST_TEXT,
  MOST_OPTIONS,
  parseForeignJson,
} from '../../src/messages/bounds.ts';
import type { Caller } from '../../src/tenancy/caller.ts';
import { wireCodec } from '../../src/whatsapp/baileys/parse/wire-codec.ts';
import type { MessageContent } from '../../src/whatsapp/port/content.ts';
import type { WireMessage } from '../../src/whatsapp/port/wire-message.ts';
import { ArchiveWorld, inbound, type TestDevice } from './archive-world.ts';

let world: ArchiveWorld;
let owner: Caller;
let device: TestDevice;
let archive: MessageArchive;
let store: EventStore;
beforeAll(async () => {
  world = await ArchiveWorld.create();
  owner = await world.tenant();
  device = await world.device(owner);
  store = new EventStore(world.db);
  const { db, vault, clock } = world;
  archive = new MessageArchive({
    db,
    vault,
    clock,
    codec: wireCodec,
    events: new EventOutbox({ clock, vault }),
  });
});
afterAll(() => world.destroy());

/** Stored, with what its event says. */
async function stored(content: Partial<MessageContent>, message: WireMessage, pushName = 'Bob') {
  const raw = wireCodec.encode(message);
  const after = await store.latest(owner.tenantId);
  const row = await archive.storeInbound(device, inbound({ content, raw, pushName }));
  if (!row) throw new Error('not stored');
  const [event] = await store.eventsAfter(owner.tenantId, { after, limit: 1 });
  return {
    row,
    raw,
    told: JSON.parse(event?.data ?? '{}') as Record<string, unknown>,
    size: event?.data.length ?? 0,
  };
}

describe('a message of a stranger', () => {
  it('keeps its first characters, and all of its bytes', async () => {
    const text = 'é'.repeat(1_000_000);
    const { row, raw, told } = await stored({ text }, { conversation: text }, 'N'.repeat(5_000));
    expect(row.text).toBe('é'.repeat(LONGEST_TEXT));
    expect(row.pushName).toHaveLength(LONGEST_NAME);
    expect(JSON.stringify(told).length).toBeLessThan(LONGEST_TEXT + 2_000);
    const kept = await archive.contents.wire(row);
    expect(Buffer.from(wireCodec.encode(kept ?? {})).equals(raw)).toBe(true);
  });

  it('mentions and quotes no more than anybody could', async () => {
    const mentions = Array.from({ length: 50_000 }, (_each, n) => `${n}@s.whatsapp.net`);
    const quoted = { id: 'Q'.repeat(5_000), participant: null, text: 'q'.repeat(500_000) };
    const { row } = await stored({ mentions, quoted }, { conversation: 'hi' });
    expect(row.context.mentions).toEqual(mentions.slice(0, LONGEST_LIST));
    expect(row.context.quoted?.text).toHaveLength(LONGEST_TEXT);
    expect(row.context.quoted?.id).toHaveLength(1_024);
  });

  it('of 20,000 objects within each other as JSON is stored without them', async () => {
    const paramsJson = `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`;
    const { row, told } = await stored(
      { kind: 'buttons_response', text: 'yes' },
      { interactiveResponseMessage: { nativeFlowResponseMessage: { name: 'flow', paramsJson } } },
    );
    expect(row.kind).toBe('buttons_response');
    expect(JSON.stringify(told)).toContain('"params":null');
  });

  it('of a thousand vCards of 10 KB each is told within bounds', async () => {
    const contacts = Array.from({ length: 1_000 }, () => ({ displayName: 'x', vcard: 'v'.repeat(10_000) }));
    const { size } = await stored(
      { kind: 'contacts', text: 'all' },
      { contactsArrayMessage: { displayName: 'all', contacts } },
    );
    expect(size).toBeLessThan(200_000);
  });

  it('that is a poll of 60,000 options keeps the first of them', async () => {
    const options = Array.from({ length: 60_000 }, (_each, n) => ({ optionName: `option ${n}` }));
    const { told } = await stored(
      { kind: 'poll', text: 'which?' },
      { pollCreationMessage: { name: 'which?', options } },
    );
    const names = JSON.stringify(told).match(/option \d+/g) ?? [];
    expect(names).toHaveLength(MOST_OPTIONS);
  });
});

describe('bounds', () => {
  it('never cut a character in two, and leave out what no database takes', () => {
    expect(cutText('a😀', 2)).toBe('a');
    expect(cutText('a😀', 3)).toBe('a😀');
    expect(cutText('a\0b', 9)).toBe('ab');
  });

  it('leave what people write as it is', () => {
    const details = { name: 'x', list: [{ a: 1, b: null }, 'two'], deep: { deep: { deep: true } } };
    expect(boundedDetails(details)).toEqual(details);
    expect(parseForeignJson('{"a":["{[",{"b":"\\"}"}]}')).toEqual({ a: ['{[', { b: '"}' }] });
  });

  it.each([
    '{',
    '',
    'nul',
    `${'['.repeat(40)}${']'.repeat(40)}`,
    `"${'x'.repeat(200_000)}"`,
  ])('are those of JSON too (%#)', (json) => {
    expect(parseForeignJson(json)).toBeNull();
  });
});

describe('a page of events', () => {
  it('ends by bytes as by rows, says that there is more, and leaves nothing out', async () => {
    const others = await world.tenant();
    const theirs = await world.device(others);
    // What a text becomes in JSON: six characters for each.
    const text = '\u0001'.repeat(LONGEST_TEXT);
    const ids: string[] = [];
    for (let n = 0; n < 24; n += 1) {
      const row = await archive.storeInbound(theirs, inbound({ content: { text } }));
      ids.push(row?.messageId ?? '');
    }
    const feed = { listen: () => () => undefined };
    const reader = new EventReader({ store, feed: feed as never, clock: world.clock, vault: world.vault });
    const signal = new AbortController().signal;
    const seen: unknown[] = [];
    let after = 0;
    let pages = 0;
    for (let more = true; more; pages += 1) {
      const page = await reader.page({ tenantId: others.tenantId }, { after, limit: 100, waitMs: 0, signal });
      const bytes = page.events.reduce((sum, event) => sum + JSON.stringify(event.data).length, 0);
      expect(bytes).toBeLessThanOrEqual(PAGE_BYTES);
      expect(page.events.length).toBeGreaterThan(0);
      seen.push(...page.events.map(({ data }) => (data as { message_id: string }).message_id));
      after = page.next;
      more = page.hasMore;
    }
    expect(pages).toBe(3);
    expect(seen).toEqual(ids);
  });
});
