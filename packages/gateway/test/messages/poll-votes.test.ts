import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { encryptPollVote } from '../../../sandbox/src/phones/sealed/poll-votes.ts';
import { MessageArchive } from '../../src/messages/archive.ts';
import { wireCodec } from '../../src/whatsapp/baileys/parse/wire-codec.ts';
import type { Identity } from '../../src/whatsapp/port/identity.ts';
import type { InboundMessage } from '../../src/whatsapp/port/messages.ts';
import type { WireCodec } from '../../src/whatsapp/port/wire-message.ts';
import { ALICE, ArchiveWorld, BOB, CAROL, GROUP, inbound, messageId } from './archive-world.ts';

const world = await ArchiveWorld.create();
const device = await world.device(await world.tenant());
afterAll(() => world.destroy());

const inGroup = { chat: GROUP, isGroup: true };
const POLL = {
  name: 'When?',
  options: [{ optionName: 'now' }, { optionName: 'later' }, { optionName: 'now' }],
};

/** A poll by Bob in the group, and its votes as the network's phones encrypt them. */
function poll(wrap: (poll: object) => object = (each) => ({ pollCreationMessage: each })) {
  const id = messageId();
  const secret = randomBytes(32);
  const message: InboundMessage = inbound({
    id,
    ...inGroup,
    content: { kind: 'poll', text: POLL.name },
    raw: wireCodec.encode({ ...wrap(POLL), messageContextInfo: { messageSecret: secret } }),
  });
  const vote = (options: string[], by: Identity, names = { creator: BOB.lid, voter: by.lid }) => {
    const message = { messageContextInfo: { messageSecret: secret } };
    const { creator, voter } = names;
    const encrypted = encryptPollVote({ id, message, author: creator ?? '', writer: voter ?? '' }, options);
    return {
      ...inGroup,
      sender: by,
      content: { kind: 'poll_vote' as const, text: null, targetId: id },
      raw: wireCodec.encode({ pollUpdateMessage: { pollCreationMessageKey: { id }, vote: encrypted } }),
    };
  };
  return { message, vote };
}

const stored = async (message: Parameters<typeof inbound>[0]) =>
  (await world.archive.storeInbound(device, inbound(message)))?.context.pollVote;

describe('a vote', () => {
  it.each([
    ['LIDs', { creator: BOB.lid, voter: CAROL.lid }],
    ['phone numbers', { creator: BOB.jid, voter: CAROL.jid }],
    ['one of each', { creator: BOB.jid, voter: CAROL.lid }],
  ])('opens when it is bound to %s', async (_what, names) => {
    const { message, vote } = poll();
    await world.archive.storeInbound(device, message);
    expect(await stored(vote(['later', 'now'], CAROL, names))).toEqual({
      pollName: 'When?',
      options: ['now', 'later'],
      unknownOptions: 0,
    });
  });

  it.each([
    'pollCreationMessageV2',
    'pollCreationMessageV3',
    'pollCreationMessageV5',
  ])('opens for a poll in %s', async (name) => {
    const { message, vote } = poll((each) => ({ [name]: each }));
    await world.archive.storeInbound(device, message);
    expect(await stored(vote(['now'], CAROL))).toMatchObject({ options: ['now'] });
  });

  it('opens for a poll inside of another envelope', async () => {
    const { message, vote } = poll((each) => ({
      pollCreationMessageV4: { message: { pollCreationMessage: each } },
    }));
    await world.archive.storeInbound(device, message);
    expect(await stored(vote(['now'], CAROL))).toMatchObject({ options: ['now'] });
  });

  it('counts the options that the poll does not have', async () => {
    const { message, vote } = poll();
    await world.archive.storeInbound(device, message);
    expect(await stored(vote(['now', 'never'], CAROL))).toMatchObject({
      options: ['now'],
      unknownOptions: 1,
    });
    expect(await stored(vote([], CAROL))).toMatchObject({ options: [], unknownOptions: 0 });
  });

  it('of another cannot be passed off as one of your own, nor counted in another chat', async () => {
    const { message, vote } = poll();
    await world.archive.storeInbound(device, message);
    const carols = vote(['now'], CAROL);
    expect(await stored({ ...carols, sender: ALICE })).toMatchObject({ options: null });
    expect(await stored({ ...carols, chat: CAROL, isGroup: false })).toMatchObject({ options: null });
  });

  it('that is broken is kept, unread', async () => {
    const { message, vote } = poll();
    await world.archive.storeInbound(device, message);
    const good = vote(['now'], CAROL);
    for (const encrypted of [
      { encPayload: randomBytes(60), encIv: randomBytes(12) },
      { encPayload: randomBytes(3), encIv: randomBytes(12) },
      { encPayload: randomBytes(60), encIv: new Uint8Array() },
      undefined,
    ]) {
      const raw = wireCodec.encode({ pollUpdateMessage: { vote: encrypted } });
      expect(await stored({ ...good, raw })).toMatchObject({ options: null });
    }
  });

  it('is read when its poll comes, once', async () => {
    const { message, vote } = poll();
    const early = inbound(vote(['later'], CAROL));
    expect((await world.archive.storeInbound(device, early))?.context.pollVote?.options).toBeNull();
    await world.archive.storeInbound(device, message);
    const now = await world.only(device.tenantId, early.id);
    expect(now.context).toMatchObject({
      targetId: message.id,
      pollVote: { pollName: 'When?', options: ['later'], unknownOptions: 0 },
    });
  });
});

describe('an option that a member adds', () => {
  /** As waE2E.PollAddOptionMessage is written; the library's schema does not have it. */
  const addition = (id: string, name: string, more: Partial<InboundMessage> = {}) => {
    const part = (tag: number[], bytes: Uint8Array) =>
      Buffer.concat([Buffer.from([...tag, bytes.length]), bytes]);
    const key = part([0x0a], part([0x1a], Buffer.from(id)));
    const option = part([0x12], part([0x0a], Buffer.from(name)));
    const raw = part([0xca, 0x07], Buffer.concat([key, option]));
    return inbound({ ...inGroup, sender: CAROL, content: wireCodec.content(raw), raw, ...more });
  };
  const optionsOf = async (message: InboundMessage): Promise<unknown> => {
    const { context } = await world.only(device.tenantId, message.id);
    return context.editedDetails?.options;
  };

  it('is read whatever it is wrapped in', () => {
    const { raw } = addition('3EB0', 'never');
    const envelope = Buffer.concat([Buffer.from([0xc2, 0x02, raw.length + 2, 0x0a, raw.length]), raw]);
    for (const bytes of [raw, envelope]) {
      expect(wireCodec.content(bytes)).toMatchObject({
        kind: 'poll_option',
        text: 'never',
        targetId: '3EB0',
      });
    }
    expect(wireCodec.content(addition('3EB0', '').raw)).toMatchObject({ kind: 'unknown' });
  });

  it('is one of the poll, and opens the votes that chose it before', async () => {
    const { message, vote } = poll();
    await world.archive.storeInbound(device, message);
    const early = inbound(vote(['later', 'never'], CAROL));
    await world.archive.storeInbound(device, early);
    await world.archive.storeInbound(device, addition(message.id, 'never'));
    expect(await optionsOf(message)).toEqual(['now', 'later', 'now', 'never']);
    const now = await world.only(device.tenantId, early.id);
    expect(now.context.pollVote).toEqual({
      pollName: 'When?',
      options: ['later', 'never'],
      unknownOptions: 0,
    });
    expect(await stored(vote(['never'], ALICE))).toMatchObject({ options: ['never'], unknownOptions: 0 });
  });

  it('is one of a poll that comes after it', async () => {
    const { message, vote } = poll();
    await world.archive.storeInbound(device, addition(message.id, 'never'));
    await world.archive.storeInbound(device, message);
    expect(await optionsOf(message)).toEqual(['now', 'later', 'now', 'never']);
    expect(await stored(vote(['never'], CAROL))).toMatchObject({ options: ['never'] });
  });

  it('is none of a poll in another chat, of another author, or of one that is full', async () => {
    const { message } = poll();
    await world.archive.storeInbound(device, message);
    const elsewhere = { chat: CAROL, isGroup: false };
    await world.archive.storeInbound(device, addition(message.id, 'elsewhere', elsewhere));
    const named = addition(message.id, 'of another');
    named.content = { ...named.content, targetSender: ALICE.jid };
    await world.archive.storeInbound(device, named);
    expect(await optionsOf(message)).toBeUndefined();
    for (let n = 0; n < 12; n += 1) {
      await world.archive.storeInbound(device, addition(message.id, `option ${n}`));
    }
    expect(await optionsOf(message)).toHaveLength(12);
  });
});

describe('a poll of very many options', () => {
  it('is read once, however many vote, and its bystanders are answered meanwhile', async () => {
    const { db, vault, clock } = world;
    const decoded: number[] = [];
    const codec: WireCodec = {
      ...wireCodec,
      decode: (bytes) => {
        decoded.push(bytes.length);
        return wireCodec.decode(bytes);
      },
    };
    const archive = new MessageArchive({ db, vault, clock, codec });
    const options = Array.from({ length: 60_000 }, (_each, n) => ({ optionName: `option ${n}` }));
    const { message, vote } = poll(() => ({ pollCreationMessage: { name: 'Which?', options } }));
    await archive.storeInbound(device, message);
    decoded.length = 0;
    const order: string[] = [];
    const voteOf = async (n: number): Promise<void> => {
      const voter = { jid: `55119999${80_000 + n}@s.whatsapp.net`, lid: `${700_000 + n}@lid` };
      const read = await archive.storeInbound(device, inbound(vote(['option 7', 'option 300'], voter)));
      expect(read?.context.pollVote).toEqual({
        pollName: 'Which?',
        options: ['option 7'],
        unknownOptions: 1,
      });
      order.push('vote');
    };
    const other = await world.device(await world.tenant());
    // A device stores what it receives in order, one after the other.
    const voting = (async () => {
      for (let n = 0; n < 20; n += 1) await voteOf(n);
    })();
    const bystander = world.archive.storeInbound(other, inbound()).then(() => order.push('bystander'));
    await Promise.all([voting, bystander]);
    expect(decoded.filter((bytes) => bytes > 100_000)).toHaveLength(1);
    // Stored between two votes, not behind them all.
    expect(order.indexOf('bystander')).toBeLessThan(order.length - 1);
  });
});
