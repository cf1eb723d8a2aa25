import { describe, expect, it } from 'vitest';
import { MovedIn } from './moved-in.ts';
import { ALICE, changedStore, PENDING, type Pending } from './sample-store.ts';

const BOB = '551199990002:3@s.whatsapp.net';
const CAROL = '551199990003:4@s.whatsapp.net';
const HEIDI = '551199990008:9@s.whatsapp.net';

/** They were under way when the sessions moved; each is opened by a device that has opened nothing else. */
const OPENED = [
  'unanswered',
  'begun there',
  'overtaken',
  'behind the overtaken',
  'of an older chain',
  'of an archived session',
  'of the newer session',
  'overtaken in a group',
  'in a group',
  'in a group, distributed again',
  'under the number',
  'under the LID',
];

describe('sessions of a whatsmeow store', () => {
  it.each(OPENED)('open what was under way: %s', async (name) => {
    const all = pending(name);
    expect(all.length).toBeGreaterThan(0);
    for (const each of all) expect(await opened(new MovedIn(ALICE), each)).toBe(each.plaintext);
  });

  it('open what was under way in its order', async () => {
    const alice = new MovedIn(ALICE);
    for (const each of pending('answered')) expect(await opened(alice, each)).toBe(each.plaintext);
  });

  it.each([
    ['as it was sent', PENDING],
    ['the last first', PENDING.toReversed()],
  ])('open all that was under way by one device: %s', async (_, all) => {
    const alice = new MovedIn(ALICE);
    for (const each of all) expect(await opened(alice, each), each.case).toBe(each.plaintext);
  });

  it('open what was overtaken once, and never again', async () => {
    const alice = new MovedIn(ALICE);
    const [first, second] = pending('overtaken');
    if (!first || !second) throw new Error('two messages were overtaken');
    expect(await opened(alice, second)).toBe(second.plaintext);
    expect(await opened(alice, first)).toBe(first.plaintext);
    await expect(opened(alice, first)).rejects.toThrow('Key used already or never filled');
  });

  it('go on in both directions without being begun anew', async () => {
    const [alice, bob] = [new MovedIn(ALICE), new MovedIn(BOB)];
    for (const text of ['there', 'and again']) {
      const there = await alice.write(bob.lid, text);
      expect(there.type).toBe('msg');
      expect(await bob.open(alice.lid, there.type, there.ciphertext)).toBe(text);
      const back = await bob.write(alice.lid, `back: ${text}`);
      expect(back.type).toBe('msg');
      expect(await alice.open(bob.lid, back.type, back.ciphertext)).toBe(`back: ${text}`);
    }
  });

  it('go on as not answered, as long as nobody has answered', async () => {
    const unanswered = changedStore((db) => {
      // As if the answer had not been written yet.
      db.prepare('DELETE FROM whatsmeow_pre_keys').run();
    });
    const [alice, carol] = [new MovedIn(ALICE, unanswered), new MovedIn(CAROL, unanswered)];
    const again = await alice.write(carol.lid, 'are you there now?');
    expect(again.type).toBe('pkmsg');
    // With Carol's pre-key gone: in the session that she has, and in no other.
    expect(await carol.open(alice.lid, again.type, again.ciphertext)).toBe('are you there now?');
    const back = await carol.write(alice.lid, 'yes');
    expect(await alice.open(carol.lid, back.type, back.ciphertext)).toBe('yes');
    expect((await alice.write(carol.lid, 'good')).type).toBe('msg');
  });

  it('go on in groups in both directions', async () => {
    const [alice, bob] = [new MovedIn(ALICE), new MovedIn(BOB)];
    for (const text of ['to all', 'to all of you']) {
      expect(await bob.open(alice.lid, 'skmsg', await alice.writeToGroup(text))).toBe(text);
      expect(await alice.open(bob.lid, 'skmsg', await bob.writeToGroup(text))).toBe(text);
    }
  });

  it('open group messages of members who are named by number', async () => {
    const [sample] = pending('in a group, distributed again');
    const bobByNumber = '551199990002:3@s.whatsapp.net';
    expect(await new MovedIn(ALICE).open(bobByNumber, 'skmsg', bytesOf(sample))).toBe(sample?.plaintext);
  });

  it('are under the LID where the store has them under the number', async () => {
    const alice = new MovedIn(ALICE);
    const ids = [...alice.of('session').keys()];
    expect(ids).toContain('10000000000008_1.9');
    expect(ids.filter((id) => id.startsWith('55'))).toEqual([]);
    const heidi = new MovedIn(HEIDI);
    const there = await alice.write(heidi.lid, 'by LID');
    expect(there.type).toBe('msg');
    expect(await heidi.open(alice.lid, 'msg', there.ciphertext)).toBe('by LID');
  });

  it('of another identity, and what is no session, stay behind', () => {
    const store = changedStore((db) => {
      const set = db.prepare('UPDATE whatsmeow_sessions SET session = ? WHERE our_jid = ? AND their_id = ?');
      const other = db
        .prepare('SELECT session FROM whatsmeow_sessions WHERE our_jid = ? AND their_id = ?')
        .pluck();
      set.run(other.get(BOB, '10000000000001_1:2'), ALICE, '10000000000002_1:3');
      set.run(Buffer.from('{"SessionState":null}'), ALICE, '10000000000003_1:4');
      set.run(null, ALICE, '10000000000004_1:5');
      db.prepare("UPDATE whatsmeow_sessions SET their_id = 'x:1' WHERE our_jid = ? AND their_id = ?").run(
        ALICE,
        '10000000000005_1:6',
      );
    });
    const alice = new MovedIn(ALICE, store);
    expect(alice.of('session').size).toBe(new MovedIn(ALICE).of('session').size - 4);
    expect(alice.held.notTaken).toContainEqual(expect.objectContaining({ what: 'session', count: 4 }));
  });
});

function pending(name: string): Pending[] {
  return PENDING.filter((each) => each.case === name);
}

function bytesOf(each: Pending | undefined): Buffer {
  return Buffer.from(each?.ciphertext ?? '', 'base64');
}

function opened(by: MovedIn, each: Pending): Promise<string> {
  const [, user, domain, device] = /^(\d+)(_1)?:(\d+)$/.exec(each.from) ?? [];
  return by.open(`${user}:${device}@${domain ? 'lid' : 's.whatsapp.net'}`, each.type, bytesOf(each));
}
