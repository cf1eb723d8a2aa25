import { describe, expect, test } from 'vitest';
import { fc } from '../../../../sandbox/test/random.ts';
import type { BinaryNode } from '../../../src/whatsapp/baileys/library.ts';
import { ANA, GROUP, node, notification, OWN, read, T } from './reading-notices.ts';

describe('shapes that the sandbox does not send', () => {
  test('a contact that hides when it was last seen; a group counting who is online', async () => {
    const [hidden] = await read(node('presence', { from: ANA.lid, type: 'unavailable', last: 'deny' }));
    expect(hidden).toMatchObject({ contact: ANA, state: 'unavailable', lastSeen: null });
    const [seen] = await read(node('presence', { from: ANA.jid, type: 'unavailable', last: T }));
    expect(seen).toMatchObject({ contact: ANA, lastSeen: 1_760_000_000_000 });
    expect(await read(node('presence', { from: GROUP, count: '3' }))).toEqual([]);
  });

  test('recording as a child of its own; typing on another device of ours is nobody else typing', async () => {
    const chatstate = (from: string, child: string) => read(node('chatstate', { from }, [node(child)]));
    expect(await chatstate(ANA.lid, 'recording')).toMatchObject([{ state: 'composing', media: 'audio' }]);
    expect(await chatstate(OWN.lid, 'composing')).toEqual([]);
    expect(await chatstate(ANA.lid, 'dancing')).toEqual([]);
  });

  test('a picture known by a hash only, and one whose contact stands in the stanza', async () => {
    expect(await notification('picture', [node('set', { hash: 'Q2Vy' })])).toEqual([
      { name: 'contact.picture', contact: ANA, pictureId: null, removed: false, author: null },
    ]);
    expect(await notification('picture', [node('request')])).toEqual([]);
  });

  test('an identity of one companion device, and the count of our own pre-keys', async () => {
    const identity = [node('identity')];
    expect(await notification('encrypt', identity)).toEqual([
      { name: 'identity.change', contact: ANA, timestamp: 1_760_000_000_000 },
    ]);
    expect(await notification('encrypt', identity, { from: '5511900000002:3@s.whatsapp.net' })).toEqual([]);
    const count = [node('count', { value: '4' })];
    expect(await notification('encrypt', count, { from: 's.whatsapp.net' })).toEqual([]);
  });

  test('several changes of a group in one stanza, and those that few groups know', async () => {
    const changes = await notification(
      'w:gp2',
      [
        node('locked'),
        node('suspended'),
        node('link', { link_type: 'sub_group' }, [node('group', { jid: '120363000000000002@g.us' })]),
        node('delete', { reason: 'admin' }),
        node('growth_locked', { type: 'invite' }),
      ],
      { from: GROUP, participant: ANA.lid, participant_pn: ANA.jid },
    );
    expect(changes.map((each) => ('change' in each ? [each.change, each.value] : each))).toEqual([
      ['locked', true],
      ['suspended', true],
      ['link', '120363000000000002@g.us'],
      ['delete', 'admin'],
      ['growth_locked', null],
    ]);
    expect(changes).toEqual(
      changes.map((each) => ({ ...each, group: GROUP, author: ANA, participants: [] })),
    );
  });

  test('the whole member list of a large group, whoever is addressed by phone number', async () => {
    const group = node('group', { id: '120363000000000003', subject: 'Big' }, [
      node('participant', { jid: ANA.jid, lid: ANA.lid }),
      node('participant', { jid: OWN.lid, phone_number: OWN.jid, type: 'admin' }),
      node('participant'),
    ]);
    expect(await notification('w:gp2', [node('create', {}, [group])], { from: GROUP })).toMatchObject([
      { name: 'group.joined', group: '120363000000000003@g.us', author: null, participants: [ANA, OWN] },
    ]);
  });

  test('a block list that only changed its hash, and settings that are no events', async () => {
    const modified = node('blocklist', { action: 'modify', dhash: '2' });
    expect(await notification('account_sync', [modified, node('devices', { dhash: '2:x' })])).toEqual([
      {
        name: 'privacy.blocklist',
        blocked: [],
        unblocked: [],
        hash: '2',
        previousHash: null,
        whole: null,
      },
    ]);
    expect(await notification('account_sync', [node('disappearing_mode', { duration: '0' })])).toEqual([]);
  });

  test('calls without an offer that we saw, by link, or with several children', async () => {
    const call = (content: BinaryNode[]) => read(node('call', { from: ANA.lid, id: '1', t: T }, content));
    expect(await call([node('terminate', { 'call-id': 'C', reason: 'busy' })])).toMatchObject([
      { name: 'call.terminate', from: ANA, video: false, reason: 'busy' },
    ]);
    expect(await call([node('link_join'), node('group_update')])).toMatchObject([{ name: 'call.unknown' }]);
    expect(await call([])).toMatchObject([{ name: 'call.unknown', callId: '', from: ANA }]);
    const relays = [
      node('te', { relay_name: 'a', latency: '33554560' }),
      node('te', { relay_name: 'b', latency: '33554480' }),
    ];
    expect(await call([node('relaylatency', { 'call-id': 'C' }, relays)])).toMatchObject([{ latencyMs: 48 }]);
  });
});

test('no stanza, however malformed, is a reason to refuse it: it would come again for ever', async () => {
  const word = fc.constantFrom(
    ...['set', 'create', 'group', 'participant', 'add', 'offer', 'blocklist', 'privacy', 'item', 'te'],
    ...['offline', 'composing', 'identity', 'description', 'body', 'ephemeral', 'terminate', 'link', ''],
  );
  const value = fc.oneof(fc.constantFrom(ANA.jid, ANA.lid, GROUP, '@', 'x@y', '', '-1', '1e99'), fc.string());
  const name = fc.constantFrom(
    'from',
    'jid',
    'type',
    't',
    'id',
    'call-id',
    'count',
    'latency',
    'author',
    'last',
  );
  const attrs = fc.dictionary(name, value);
  const { stanza: child } = fc.letrec<{ stanza: BinaryNode }>((tie) => ({
    stanza: fc
      .record({
        tag: word,
        attrs,
        content: fc.oneof(
          { depthSize: 'small' },
          fc.constant(undefined),
          fc.uint8Array({ maxLength: 8 }),
          fc.string(),
          fc.array(tie('stanza'), { maxLength: 3 }),
        ),
      })
      .map(({ tag, attrs: given, content }) => node(tag, given, content)),
  }));
  const type = fc.constantFrom('w:gp2', 'picture', 'status', 'encrypt', 'account_sync', 'other');
  const outer = fc.constantFrom('notification', 'presence', 'chatstate', 'call', 'ib', 'other');
  await fc.assert(
    fc.asyncProperty(
      outer,
      type,
      attrs,
      fc.array(child, { maxLength: 3 }),
      async (tag, kind, given, content) => {
        const stanza = node(tag, tag === 'notification' ? { ...given, type: kind } : given, content);
        for (const notice of await read(stanza)) expect(JSON.parse(JSON.stringify(notice))).toEqual(notice);
      },
    ),
    { numRuns: 500 },
  );
});
