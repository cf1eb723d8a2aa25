/** What the server says of channels: themselves, their posts, those who follow and run them. */
import { describe, expect, test } from 'vitest';
import { type BinaryNode, proto } from '../../../src/whatsapp/baileys/library.ts';
import {
  parseDirectory,
  parseNewsletter,
  parsePosts,
} from '../../../src/whatsapp/baileys/parse/newsletter.ts';
import {
  isNewsletterChange,
  newsletterChange,
  newsletterChangeId,
  newsletterChangeTime,
  noteNewsletterChange,
} from '../../../src/whatsapp/baileys/parse/newsletter-change.ts';
import { parseFollowers, parseInvited } from '../../../src/whatsapp/baileys/parse/newsletter-people.ts';
import {
  liveUpdateNotices,
  mexNotices,
} from '../../../src/whatsapp/baileys/parse/notices/newsletter-stanzas.ts';

const CHANNEL = '120363039000000001@newsletter';
const node = (
  tag: string,
  attrs: Record<string, string> = {},
  content?: BinaryNode['content'],
): BinaryNode => (content === undefined ? { tag, attrs } : { tag, attrs, content });
const AT = 1_760_000_000_000;

describe('a channel', () => {
  const told = {
    id: CHANNEL,
    state: { type: 'ACTIVE' },
    thread_metadata: {
      name: { text: 'News\0', id: '1', update_time: '5' },
      description: { text: 'of hats' },
      invite: 'AbC',
      subscribers_count: '42',
      verification: 'VERIFIED',
      creation_time: '1760000000',
      picture: { id: '17', direct_path: '/p' },
      preview: { id: '18', direct_path: '' },
    },
    viewer_metadata: { role: 'OWNER', mute: 'ON' },
  };
  const CHANNEL_TOLD = {
    jid: CHANNEL,
    state: 'active',
    name: { text: 'News', id: '1', updateTime: '5' },
    description: { text: 'of hats', id: '', updateTime: '0' },
    inviteCode: 'AbC',
    subscribers: 42,
    verification: 'verified',
    createdAt: AT,
    picture: { id: '17', directPath: '/p' },
    preview: { id: '18', directPath: null },
    viewer: { role: 'owner', muted: true },
  };

  test('as the server has it, and with what it leaves out', () => {
    expect(parseNewsletter(told)).toEqual(CHANNEL_TOLD);
    const unmuted = { ...told, viewer_metadata: { mute: 'OFF' } };
    expect(parseNewsletter(unmuted)?.viewer).toEqual({ role: '', muted: false });
    const empty = { text: '', id: '', updateTime: '0' };
    expect(parseNewsletter({ id: CHANNEL, thread_metadata: { picture: { id: '' } } })).toEqual({
      jid: CHANNEL,
      state: '',
      name: empty,
      description: empty,
      inviteCode: '',
      subscribers: 0,
      verification: '',
      createdAt: null,
      picture: null,
      preview: null,
      viewer: null,
    });
    for (const none of [null, {}, { id: 7 }, { id: '120363039000000001@g.us' }]) {
      expect(parseNewsletter(none)).toBeNull();
    }
  });

  test('pages of the directory', () => {
    const page = (hasNextPage: unknown, endCursor?: string) =>
      parseDirectory({ result: [told, {}], page_info: { hasNextPage, endCursor } });
    expect(page(true, 'c')).toEqual({ newsletters: [CHANNEL_TOLD], next: 'c' });
    expect([page(false, 'c').next, page(true, '').next, page('yes', 'c').next]).toEqual([null, null, null]);
    expect(parseDirectory({ result: {} })).toEqual({ newsletters: [], next: null });
  });

  test('who follows it and in which role, and who is asked to run it', () => {
    const ana = { id: '222222222222222:2@lid', pn: '5511999990002:2@s.whatsapp.net', display_name: 'Ana' };
    const edge = (role: string, node: object, follow_time?: string) => ({ node, role, follow_time });
    const edges = [
      edge('OWNER', ana, '1760000000'),
      edge('ADMIN', { id: '5511999990003@s.whatsapp.net' }),
      edge('GUEST', { id: '333333333333333@lid' }),
      edge('NEWER', { id: '444444444444444@lid' }),
      edge('SUBSCRIBER', { id: 'somebody' }),
      null,
    ];
    const ANA = { jid: '5511999990002@s.whatsapp.net', lid: '222222222222222@lid' };
    const bare = { name: null, followedAt: null };
    expect(parseFollowers({ followers: { edges } })).toEqual([
      { ...ANA, role: 'owner', name: 'Ana', followedAt: AT },
      { jid: '5511999990003@s.whatsapp.net', lid: null, role: 'admin', ...bare },
      { jid: null, lid: '333333333333333@lid', role: 'guest', ...bare },
      { jid: null, lid: '444444444444444@lid', role: 'subscriber', ...bare },
    ]);
    expect(parseFollowers({ followers: { edges: {} } })).toEqual([]);
    expect(parseInvited({ pending_admin_invites: [{ user: ana }, {}] })).toEqual([ANA]);
    expect(parseInvited({})).toEqual([]);
  });
});

describe('posts', () => {
  const text = proto.Message.encode({ conversation: 'hi' }).finish();
  const post = (attrs: Record<string, string>, content: BinaryNode[] = []) =>
    parsePosts(node('messages', {}, [node('message', { t: '1760000000', ...attrs }, content)]));

  test('with their counts and their content', () => {
    const reactions = node('reactions', {}, [
      node('reaction', { code: '👍', count: '3' }),
      node('reaction', { code: '👎', count: '-3' }),
      node('reaction', { count: '2' }),
    ]);
    const content = [node('views_count', { count: '9' }), reactions, node('plaintext', {}, text)];
    expect(post({ server_id: '100', id: 'A', type: 'text' }, content)).toEqual([
      {
        serverId: 100,
        id: 'A',
        type: 'text',
        timestamp: AT,
        views: 9,
        reactions: { '👍': 3, '👎': 0 },
        content: expect.objectContaining({ kind: 'text', text: 'hi' }),
      },
    ]);
  });

  test('without content, with some that makes no sense, and without a number', () => {
    const bare = { serverId: 1, id: '', type: '', views: 0, reactions: {} };
    expect(post({ server_id: '1' })).toMatchObject([{ ...bare, content: null }]);
    const taken = [node('plaintext', {}, Buffer.alloc(0)), node('views_count', { count: '1.5' })];
    expect(post({ server_id: '1' }, taken)).toMatchObject([{ ...bare, content: null }]);
    const odd = [node('plaintext', {}, Buffer.from([0xff]))];
    expect(post({ server_id: '1' }, odd)).toMatchObject([{ ...bare, content: { kind: 'unknown' } }]);
    expect(post({ server_id: 'x' })).toEqual([]);
    expect(post({})).toEqual([]);
    expect(parsePosts(undefined)).toEqual([]);
  });
});

describe('a change of a post', () => {
  const stanza = (attrs: Record<string, string>, content: BinaryNode[] = []) =>
    node('message', { from: CHANNEL, id: 'A', t: '1760000000', ...attrs }, content);

  test.each([
    [{ edit: '3' }, true],
    [{ edit: '8' }, true],
    [{ edit: '1' }, false],
    [{}, false],
    [{ edit: '3', from: '120363039000000001@g.us' }, false],
  ])('%j is one: %s', (attrs, change) => {
    expect(isNewsletterChange(stanza(attrs as Record<string, string>))).toBe(change);
  });

  test('is noted in the stanza before anything else looks at it', () => {
    const meta = node('meta', { msg_edit_t: '1760000000123' });
    const changed = stanza({ edit: '3' }, [meta, node('plaintext')]);
    noteNewsletterChange(changed);
    expect(changed.attrs.msg_edit_t).toBe('1760000000123');
    expect(changed.content).toEqual([meta, node('plaintext', {}, Buffer.alloc(0))]);
    const untimed = stanza({ edit: '8' }, [node('plaintext', {}, Buffer.from('x'))]);
    noteNewsletterChange(untimed);
    expect(untimed).toEqual(stanza({ edit: '8' }, [node('plaintext', {}, Buffer.from('x'))]));
    const post = stanza({}, [meta, node('plaintext')]);
    noteNewsletterChange(post);
    expect(post).toEqual(stanza({}, [meta, node('plaintext')]));
  });

  test('has an id and a time of its own', () => {
    expect(newsletterChangeId(stanza({ edit: '3', msg_edit_t: '7' }))).toBe('A-3-7');
    expect(newsletterChangeId(stanza({ edit: '8' }))).toBe('A-8-1760000000');
    expect(newsletterChangeId(node('message'))).toBe('--');
    const time = (msg_edit_t: string) => newsletterChangeTime(stanza({ msg_edit_t }));
    expect([time('1760000000123'), time('1')]).toEqual([1_760_000_000_123, 1]);
    expect([time('0'), time('-1'), time('1.5'), time('x'), newsletterChangeTime(stanza({}))]).toEqual(
      Array(5).fill(null),
    );
    expect([time('253402300798999'), time('253402300799000')]).toEqual([253_402_300_798_999, null]);
  });

  test('speaks of its post, as changes do elsewhere', () => {
    const key = { remoteJid: CHANNEL, id: 'A' };
    const { Type } = proto.Message.ProtocolMessage;
    expect(newsletterChange(stanza({ edit: '8' }), {})).toMatchObject({
      protocolMessage: { key, type: Type.REVOKE },
    });
    const content = { conversation: 'new' };
    expect(newsletterChange(stanza({ edit: '3' }), content)).toMatchObject({
      editedMessage: {
        message: { protocolMessage: { key, type: Type.MESSAGE_EDIT, editedMessage: content } },
      },
    });
    expect(newsletterChange(node('message', { edit: '8' }), {})).toMatchObject({
      protocolMessage: { key: { remoteJid: '', id: '' } },
    });
  });
});

describe('what other devices and the server tell of channels', () => {
  const live = (content: BinaryNode[], from = CHANNEL) =>
    liveUpdateNotices(node('notification', { from }, [node('live_updates', {}, content)]));

  test('counts of posts, wherever they stand', () => {
    const counted = node('message', { server_id: '1' }, [
      node('views_count', { count: '7' }),
      node('reactions', {}, [
        node('reaction', { code: '👍', count: '3' }),
        node('reaction', { code: '👎' }),
        node('reaction', { count: '1' }),
      ]),
    ]);
    const bare = node('message', { server_id: '2' });
    const messages = [
      { serverId: '1', views: 7, reactions: { '👍': 3, '👎': 0 } },
      { serverId: '2', views: null, reactions: {} },
    ];
    const told = [{ name: 'newsletter.live_update', newsletter: CHANNEL, messages }];
    expect(live([counted, node('messages', {}, [bare])])).toEqual(told);
    expect(live([node('message')])).toEqual([]);
    expect(live([counted], '120363039000000001@g.us')).toEqual([]);
    expect(liveUpdateNotices(node('notification', { from: CHANNEL }, [counted]))).toEqual([]);
  });

  const mex = (body: unknown, tag = 'update') =>
    mexNotices(
      node('notification', {}, [node(tag, {}, typeof body === 'string' ? body : JSON.stringify(body))]),
    );

  test.each([
    [
      { xwa2_notify_newsletter_on_join: { id: CHANNEL, thread_metadata: { name: { text: 'News' } } } },
      { name: 'newsletter.join', newsletter: CHANNEL, title: 'News' },
    ],
    [
      { xwa2_notify_newsletter_on_join: { id: CHANNEL } },
      { name: 'newsletter.join', newsletter: CHANNEL, title: null },
    ],
    [
      { xwa2_notify_newsletter_on_join: { id: CHANNEL, thread_metadata: { name: { text: 7 } } } },
      { name: 'newsletter.join', newsletter: CHANNEL, title: null },
    ],
    [{ xwa2_notify_newsletter_on_join: { id: 'x' } }, null],
    [{ xwa2_notify_newsletter_on_leave: { id: CHANNEL } }, { name: 'newsletter.leave', newsletter: CHANNEL }],
    [{ xwa2_notify_newsletter_on_leave: { id: 7 } }, null],
    [
      { xwa2_notify_newsletter_on_mute_change: { id: CHANNEL, mute: 'ON' } },
      { name: 'newsletter.mute_change', newsletter: CHANNEL, muted: true },
    ],
    [
      { xwa2_notify_newsletter_on_mute_change: { id: CHANNEL, mute: 'OFF' } },
      { name: 'newsletter.mute_change', newsletter: CHANNEL, muted: false },
    ],
    [{ xwa2_notify_newsletter_on_mute_change: { mute: 'ON' } }, null],
    [{ xwa2_notify_something_newer: { id: CHANNEL } }, null],
  ])('%j', (data, notice) => {
    expect(mex({ data })).toEqual(notice ? [notice] : []);
    expect(mex({ data }, 'other')).toEqual([]);
  });

  test.each(['', 'no JSON', '{}', '{"data":null}'])('%j is nothing', (body) => {
    expect(mex(body)).toEqual([]);
  });
});
