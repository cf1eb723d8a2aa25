import type { BinaryNode } from 'baileys';
import { afterEach, describe, expect, it } from 'vitest';
import { decodeStanza, encodeStanza } from '../../src/wire/codec.ts';
import { startTestNetwork, type TestNetwork } from '../network/test-network.ts';
import { fc } from '../random.ts';
import { decodeTyped, type TypedNode } from './typed-decoder.ts';

/** What a client of another make than Baileys reads. */
function seenBy(node: BinaryNode): TypedNode {
  const frame = encodeStanza(node);
  expect(frame[0]).toBe(0);
  return decodeTyped(frame.subarray(1));
}

const SERVER = { user: '', server: 's.whatsapp.net' };

describe('on the wire', () => {
  it('a JID is a JID: servers have an empty user, devices their number', () => {
    const { attrs } = seenBy({
      tag: 'message',
      attrs: {
        from: '@s.whatsapp.net',
        to: '@g.us',
        participant: '1234567890:7@lid',
        participant_pn: '5511999990001@s.whatsapp.net',
        recipient: '5511999990001:0@s.whatsapp.net',
        jid: '120363000000000001@g.us',
        author: 'status@broadcast',
        lid: '99:3@hosted.lid',
      },
    });
    expect(attrs).toEqual({
      from: SERVER,
      to: { user: '', server: 'g.us' },
      participant: { user: '1234567890', server: 'lid', device: 7 },
      participant_pn: { user: '5511999990001', server: 's.whatsapp.net' },
      recipient: { user: '5511999990001', server: 's.whatsapp.net', device: 0 },
      jid: { user: '120363000000000001', server: 'g.us' },
      author: { user: 'status', server: 'broadcast' },
      lid: { user: '99', server: 'hosted.lid', device: 3 },
    });
  });

  it('free text is text, whatever it looks like, and so is what only pretends to be a JID', () => {
    const free = [
      'call me @',
      '5511999990001@s.whatsapp.net',
      '@g.us',
      'a@b',
      '',
      '12345',
      '12-34.5',
      'ABC1',
    ];
    for (const text of free) {
      expect(seenBy({ tag: 'message', attrs: { notify: text, subject: text } }).attrs).toEqual({
        notify: text,
        subject: text,
      });
    }
    expect(seenBy({ tag: 'message', attrs: { from: 'somebody@example.org', to: 'nobody' } }).attrs).toEqual({
      from: 'somebody@example.org',
      to: 'nobody',
    });
  });

  it('any text and any bytes come out as they went in, for both kinds of clients', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}x$/), fc.string({ unit: 'grapheme' }), { maxKeys: 300 }),
        fc.uint8Array({ maxLength: 300 }),
        (attrs, bytes) => {
          const node = { tag: 'iq', attrs, content: Buffer.from(bytes) };
          expect(seenBy(node)).toEqual({ ...node, attrs: { ...attrs } });
          expect(decodeStanza(encodeStanza(node))).toEqual({ ...node, attrs: { ...attrs } });
        },
      ),
    );
  });

  it('long lists and large contents have the length they say', () => {
    const children = Array.from({ length: 300 }, (_, n) => ({ tag: 'item', attrs: { id: `x${n}` } }));
    expect(seenBy({ tag: 'list', attrs: {}, content: children }).content).toHaveLength(300);
    for (const length of [0, 255, 256, 2 ** 20 - 1, 2 ** 20, 3_000_000]) {
      expect(seenBy({ tag: 'enc', attrs: {}, content: Buffer.alloc(length, 7) }).content).toHaveLength(
        length,
      );
    }
  });
});

describe('what the network sends to a linked device', () => {
  let net: TestNetwork;
  afterEach(() => net.stop());

  it('names the server and everybody by JID, and people by text', async () => {
    net = await startTestNetwork();
    const sent: TypedNode[] = [];
    const { delivery } = net.network;
    const transmit = delivery.transmit.bind(delivery);
    delivery.transmit = (link, node) => {
      if (link.address.device > 0) sent.push(seenBy(node));
      transmit(link, node);
    };
    const phone = net.phone('5511999990001', 'Ann @ 1@s.whatsapp.net');
    const other = net.phone('5511999990002', 'b@lid');
    const client = await net.linked(phone);
    net.network.groups.create({ subject: 'x@g.us', creator: other.account, participants: [phone.account] });
    await client.socket.groupFetchAllParticipating();
    await client.socket.onWhatsApp(other.account.user);
    await client.socket.fetchBlocklist();
    other.submit({
      tag: 'call',
      attrs: { to: `${phone.account.lid}@lid`, id: 'c1' },
      content: [
        { tag: 'offer', attrs: { 'call-id': 'C', 'call-creator': `${other.account.lid}@lid` }, content: [] },
      ],
    });

    const attributes = sent.flatMap(function all(node): [string, TypedNode['attrs'][string]][] {
      const children = Array.isArray(node.content) ? node.content : [];
      return [...Object.entries(node.attrs), ...children.flatMap(all)];
    });
    const asText = attributes.filter(([, value]) => typeof value === 'string' && /@|\.net$/.test(value));
    expect(new Set(asText.map(([name]) => name))).toEqual(new Set(['display_name', 'notify', 'subject']));
    expect(attributes).toContainEqual(['from', SERVER]);
    expect(attributes).toContainEqual(['from', { user: '', server: 'g.us' }]);
  });

  it('is refilled with pre-keys when they run low: it takes the word for the server’s', async () => {
    net = await startTestNetwork();
    const phone = net.phone('5511999990001');
    const client = await net.linked(phone);
    const device = net.network.directory.device({ user: phone.account.user, device: 1 });
    const other = net.phone('5511999990002');
    const left = device?.preKeys.size ?? 0;
    expect(left).toBeGreaterThan(4);
    for (let n = 0; n < left - 4; n += 1) {
      other.submit({
        tag: 'iq',
        attrs: { xmlns: 'encrypt', type: 'get', to: '@s.whatsapp.net', id: `k${n}` },
        content: [
          {
            tag: 'key',
            attrs: {},
            content: [{ tag: 'user', attrs: { jid: `${phone.account.lid}:1@lid` } }],
          },
        ],
      });
    }
    await client.until('more pre-keys', () => ((device?.preKeys.size ?? 0) > 4 ? true : undefined));
  });
});
