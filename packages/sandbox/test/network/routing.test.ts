import type { BinaryNode } from 'baileys';
import { beforeEach, describe, expect, it } from 'vitest';
import type { NetworkLink } from '../../src/link.ts';
import { createNetwork, type Network } from '../../src/network/network.ts';
import type { Account } from '../../src/state/directory.ts';
import { bytesOf, childNamed, childrenNamed, stanza } from '../../src/wire/stanza.ts';

/** A device that writes stanzas by hand. */
class Link implements NetworkLink {
  received: BinaryNode[] = [];
  closed = false;
  readonly address: { user: string; device: number };
  readonly passive: boolean;
  readonly #network: Network;

  constructor(network: Network, user: string, device: number, passive = true) {
    this.#network = network;
    this.passive = passive;
    this.address = { user, device };
    network.attach(this);
    if (device > 0 && passive) {
      this.submit(stanza('iq', { xmlns: 'passive', type: 'set', id: 'p' }, [stanza('active')]));
    }
  }

  deliver(node: BinaryNode): void {
    this.received.push(node);
  }

  close(): void {
    this.closed = true;
  }

  submit(node: BinaryNode): void {
    this.#network.submit(this, node);
  }

  /** What came with this tag since the last look. */
  take(tag: string): BinaryNode[] {
    const found = this.received.filter((node) => node.tag === tag);
    this.received = this.received.filter((node) => node.tag !== tag);
    return found;
  }

  ask(attrs: Record<string, string>, content: BinaryNode[]): BinaryNode {
    this.take('iq');
    this.submit(stanza('iq', { id: 'q', to: 's.whatsapp.net', ...attrs }, content));
    const [answer] = this.take('iq');
    if (!answer) throw new Error('no answer');
    return answer;
  }
}

let network: Network;
let alice: Account;
let bob: Account;

function account(user: string, lid: string): Account {
  const made = network.directory.createAccount({
    user,
    lid,
    name: `Name ${user}`,
    identityPublic: Buffer.alloc(32, 1),
    registrationId: 1,
  });
  network.directory.addCompanion(made, {
    device: 1,
    keyIndex: 1,
    platform: 'android',
    noisePublic: Buffer.alloc(32),
    identityPublic: Buffer.alloc(32, 2),
    registrationId: 2,
    signedPreKey: { id: 1, publicKey: Buffer.alloc(32, 3), signature: Buffer.alloc(64, 4) },
  });
  return made;
}

beforeEach(() => {
  network = createNetwork();
  alice = account('5511999990001', '100001');
  bob = account('5511999990002', '200002');
});

const enc = (text: string, type = 'msg'): BinaryNode => stanza('enc', { v: '2', type }, Buffer.from(text));
const to = (jid: string, ...encs: BinaryNode[]): BinaryNode => stanza('to', { jid }, encs);
const ack = (node: BinaryNode): BinaryNode =>
  stanza('ack', {
    class: node.tag,
    id: node.attrs.id,
    to: node.attrs.from,
    participant: node.attrs.participant,
    type: node.attrs.type,
  });

describe('the store-and-forward queue', () => {
  it('redelivers a message on every attachment until it is acknowledged', () => {
    const sender = new Link(network, alice.user, 0);
    const first = new Link(network, bob.user, 1);
    sender.submit(
      stanza('message', { to: '200002@lid', id: 'M1', type: 'text' }, [
        stanza('participants', {}, [to('200002:1@lid', enc('for one')), to('999999:1@lid', enc('nobody'))]),
      ]),
    );
    const [live] = first.take('message');
    expect(live?.attrs).toMatchObject({
      from: '100001@lid',
      sender_pn: '5511999990001@s.whatsapp.net',
      addressing_mode: 'lid',
      notify: 'Name 5511999990001',
    });
    expect(live?.attrs.offline).toBeUndefined();
    network.detach(first);

    const second = new Link(network, bob.user, 1);
    const [again] = second.take('message');
    expect(again?.attrs.id).toBe('M1');
    expect(again?.attrs.offline).toBeDefined();
    const ibs = second.take('ib').map((ib) => (Array.isArray(ib.content) ? ib.content[0] : undefined));
    expect(ibs.map((child) => child?.tag)).toEqual(['offline_preview', 'offline', 'dirty', 'dirty']);
    expect(ibs[0]?.attrs).toMatchObject({ count: '1', message: '1' });
    if (again) second.submit(ack(again));
    network.detach(second);
    expect(new Link(network, bob.user, 1).take('message')).toEqual([]);
  });

  it('flows at once to a device whose login is not passive', () => {
    const sender = new Link(network, alice.user, 0);
    sender.submit(
      stanza('message', { to: '200002@lid', id: 'M1', type: 'text' }, [
        stanza('participants', {}, [to('200002:1@lid', enc('for one'))]),
      ]),
    );
    const active = new Link(network, bob.user, 1, false);
    expect(active.received.map(({ tag }) => tag)).toEqual(['success', 'ib', 'message', 'ib', 'ib', 'ib']);
  });

  it('takes a delivery receipt for an acknowledgement, but not a retry receipt', () => {
    const sender = new Link(network, alice.user, 0);
    const reader = new Link(network, bob.user, 1);
    const device = network.directory.device(reader.address);
    sender.submit(stanza('message', { to: '200002:1@lid', id: 'M2', type: 'text' }, [enc('x')]));
    reader.submit(
      stanza('receipt', { to: '100001@lid', id: 'M2', type: 'retry' }, [stanza('retry', { count: '1' })]),
    );
    expect(device?.mailbox.pending).toBe(1);
    reader.submit(stanza('receipt', { to: '100001@lid', id: 'M2' }));
    expect(device?.mailbox.pending).toBe(0);
  });

  it('takes nothing off for an answer under another name', () => {
    const sender = new Link(network, alice.user, 1);
    const reader = new Link(network, bob.user, 1);
    const device = network.directory.device(reader.address);
    sender.submit(stanza('message', { to: '200002:1@lid', id: 'M3', type: 'text' }, [enc('x')]));
    // The account, not its device; and another member.
    reader.submit(stanza('receipt', { to: '100001@lid', id: 'M3' }));
    reader.submit(
      stanza('ack', { class: 'message', to: '100001:1@lid', id: 'M3', participant: '100001@lid' }),
    );
    reader.submit(stanza('ack', { class: 'status', to: '100001:1@lid', id: 'M3' }));
    expect(device?.mailbox.pending).toBe(1);
    reader.submit(stanza('ack', { class: 'message', to: '100001:1@lid', id: 'M3' }));
    expect(device?.mailbox.pending).toBe(0);
  });

  it('takes messages of the own account off for their receipt alone', () => {
    const sender = new Link(network, alice.user, 1);
    const phone = new Link(network, alice.user, 0);
    const device = network.directory.device(phone.address);
    sender.submit(
      stanza('message', { to: '200002@lid', id: 'OWN', type: 'text' }, [
        stanza('participants', {}, [to('100001@lid', enc('for the phone'))]),
      ]),
    );
    const names = { to: '100001:1@lid', id: 'OWN', recipient: '200002@lid' };
    phone.submit(stanza('ack', { class: 'message', ...names }));
    phone.submit(stanza('ack', { class: 'message', error: '500', ...names }));
    expect(device?.mailbox.pending).toBe(1);
    phone.submit(stanza('receipt', { type: 'sender', ...names }));
    expect(device?.mailbox.pending).toBe(0);
  });

  it('keeps apart the receipts of several readers of one message', () => {
    const author = new Link(network, alice.user, 1);
    const carol = account('5511999990003', '300003');
    const group = network.groups.create({ subject: 'G', creator: alice, participants: [bob, carol] });
    for (const notification of author.take('notification')) author.submit(ack(notification));
    for (const reader of [new Link(network, bob.user, 0), new Link(network, carol.user, 0)]) {
      const participant = '100001:1@lid';
      reader.submit(stanza('receipt', { to: group.jid, participant, id: 'G1' }));
      reader.submit(stanza('receipt', { to: group.jid, participant, id: 'G1', type: 'read' }));
    }
    const receipts = author.take('receipt');
    expect(receipts.map(({ attrs }) => [attrs.from, attrs.participant, attrs.type])).toEqual([
      [group.jid, '200002@lid', undefined],
      [group.jid, '200002@lid', 'read'],
      [group.jid, '300003@lid', undefined],
      [group.jid, '300003@lid', 'read'],
    ]);
    const read = receipts[3];
    if (read) author.submit(ack(read));
    network.detach(author);
    const left = new Link(network, alice.user, 1).take('receipt');
    expect(left.map(({ attrs }) => attrs.type)).toEqual([undefined, 'read', undefined]);
  });
});

describe('receipts', () => {
  it('of reading go to the sender and to the reader’s own devices', () => {
    const sender = new Link(network, alice.user, 0);
    const phone = new Link(network, bob.user, 0);
    const companion = new Link(network, bob.user, 1);
    const list = [stanza('list', {}, [stanza('item', { id: 'M4' })])];
    companion.submit(stanza('receipt', { to: '100001@lid', id: 'M3', type: 'read', t: '123' }, list));
    expect(sender.take('receipt')).toEqual([
      stanza('receipt', { from: '200002:1@lid', id: 'M3', type: 'read', t: '123' }, list),
    ]);
    expect(phone.take('receipt')[0]?.attrs).toMatchObject({
      from: '200002:1@lid',
      recipient: '100001@lid',
      type: 'read',
    });
    companion.submit(stanza('receipt', { to: '100001@lid', id: 'M3', type: 'read-self' }));
    expect(sender.take('receipt')).toEqual([]);
    expect(phone.take('receipt')[0]?.attrs.type).toBe('read-self');
  });

  it('of a media retry go to the phone, and its answer to the companion that asked', () => {
    const phone = new Link(network, bob.user, 0);
    const companion = new Link(network, bob.user, 1);
    const rmr = stanza('rmr', { jid: '100001@lid', from_me: 'false' });
    const own = '5511999990002@s.whatsapp.net';
    companion.submit(stanza('receipt', { to: own, id: 'MEDIA', type: 'server-error' }, [rmr]));
    const [request] = phone.take('receipt');
    expect(request?.attrs).toMatchObject({ from: '5511999990002:1@s.whatsapp.net', id: 'MEDIA' });
    expect(request?.content).toEqual([rmr]);
    phone.submit(
      stanza('notification', { to: request?.attrs.from, id: 'MEDIA', type: 'mediaretry' }, [
        rmr,
        stanza('error', { code: '2' }),
      ]),
    );
    expect(companion.take('notification')[0]?.attrs).toMatchObject({
      from: own,
      id: 'MEDIA',
      type: 'mediaretry',
    });
  });
});

describe('own copies and peers', () => {
  it('name the chat in copies, and nothing in peer messages', () => {
    const phone = new Link(network, alice.user, 0);
    const companion = new Link(network, alice.user, 1);
    phone.submit(
      stanza('message', { to: '200002@lid', id: 'C1', type: 'text' }, [
        stanza('participants', {}, [to('100001:1@lid', enc('copy', 'pkmsg'))]),
        stanza('device-identity', {}, Buffer.from('adv')),
        stanza('meta', { appdata: 'x' }),
      ]),
    );
    const [copy] = companion.take('message');
    expect(copy?.attrs).toMatchObject({
      from: '100001@lid',
      recipient: '200002@lid',
      peer_recipient_pn: '5511999990002@s.whatsapp.net',
    });
    expect(copy?.attrs.sender_pn).toBeUndefined();
    const tags = (Array.isArray(copy?.content) ? copy.content : []).map(({ tag }) => tag);
    expect(tags).toEqual(['enc', 'meta', 'device-identity']);
    const peer = { to: '5511999990001@s.whatsapp.net', id: 'P1', type: 'text', category: 'peer' };
    companion.submit(stanza('message', peer, [enc('peer')]));
    const [got] = phone.take('message');
    expect(got?.attrs).toMatchObject({ from: '5511999990001:1@s.whatsapp.net', category: 'peer' });
    expect(got?.attrs.recipient).toBeUndefined();
  });
});

describe('pre-keys', () => {
  it('are given out once each; the device is told once when few are left', () => {
    const companion = new Link(network, bob.user, 1);
    const asker = new Link(network, alice.user, 0);
    const device = network.directory.device(companion.address);
    for (let id = 1; id <= 6; id += 1) device?.preKeys.set(id, { id, publicKey: Buffer.alloc(32, id) });
    const fetchKey = (): number | undefined => {
      const answer = asker.ask({ xmlns: 'encrypt', type: 'get' }, [
        stanza('key', {}, [stanza('user', { jid: '200002:1@lid' })]),
      ]);
      const user = childNamed(childNamed(answer, 'list'), 'user');
      expect(user?.attrs.jid).toBe('200002:1@lid');
      expect(bytesOf(childNamed(childNamed(user, 'skey'), 'signature'))?.length).toBe(64);
      return bytesOf(childNamed(childNamed(user, 'key'), 'id'))?.readUIntBE(0, 3);
    };
    const ids = Array.from({ length: 7 }, fetchKey);
    expect(ids).toEqual([1, 2, 3, 4, 5, 6, undefined]);
    const notifications = companion.take('notification');
    expect(notifications.map((node) => childNamed(node, 'count')?.attrs.value)).toEqual(['4']);
    const unknown = asker.ask({ xmlns: 'encrypt', type: 'get' }, [
      stanza('key', {}, [stanza('user', { jid: '200002:9@lid' })]),
    ]);
    const error = childNamed(childNamed(childNamed(unknown, 'list'), 'user'), 'error');
    expect(error?.attrs.code).toBe('404');
  });
});

describe('usync', () => {
  const query = (link: Link, protocols: BinaryNode[], users: BinaryNode[]): BinaryNode[] => {
    const answer = link.ask({ xmlns: 'usync', type: 'get' }, [
      stanza('usync', { sid: '1', mode: 'query', context: 'message', index: '0', last: 'true' }, [
        stanza('query', {}, protocols),
        stanza('list', {}, users),
      ]),
    ]);
    return childrenNamed(childNamed(childNamed(answer, 'usync'), 'list'), 'user');
  };

  it('lists devices in the addressing they are asked in, with key indexes, and the LID of a number', () => {
    const link = new Link(network, alice.user, 0);
    const protocols = [stanza('devices', { version: '2' }), stanza('lid')];
    const [byNumber, byLid, unknown] = query(link, protocols, [
      stanza('user', { jid: '5511999990002@s.whatsapp.net' }),
      stanza('user', { jid: '200002@lid' }),
      stanza('user', { jid: '5511900000000@s.whatsapp.net' }),
    ]);
    expect(byNumber?.attrs.jid).toBe('5511999990002@s.whatsapp.net');
    expect(childNamed(byNumber, 'lid')?.attrs.val).toBe('200002@lid');
    expect(byLid?.attrs.jid).toBe('200002@lid');
    expect(childNamed(byLid, 'lid')).toBeUndefined();
    for (const user of [byNumber, byLid]) {
      const list = childNamed(childNamed(user, 'devices'), 'device-list');
      expect(childrenNamed(list, 'device').map(({ attrs }) => attrs)).toEqual([
        { id: '0' },
        { id: '1', 'key-index': '1' },
      ]);
    }
    const none = childNamed(childNamed(unknown, 'devices'), 'device-list');
    expect(childrenNamed(none, 'device')).toEqual([]);
  });

  it('finds contacts by number, answering with LIDs when asked to', () => {
    const link = new Link(network, alice.user, 0);
    const users = query(
      link,
      [stanza('contact', { addressing_mode: 'lid' })],
      [
        stanza('user', {}, [stanza('contact', {}, '5511999990002@c.us')]),
        stanza('user', {}, [stanza('contact', {}, '+5511900000000')]),
      ],
    );
    expect(users.map(({ attrs }) => attrs)).toEqual([
      { jid: '200002@lid', pn_jid: '5511999990002@s.whatsapp.net' },
      { jid: '5511900000000@s.whatsapp.net' },
    ]);
    expect(users.map((user) => childNamed(user, 'contact')?.attrs.type)).toEqual(['in', 'out']);
  });
});

describe('presence', () => {
  it('reaches those who subscribed, and typing the other side, only while they are online', () => {
    const watcher = new Link(network, alice.user, 1);
    const watched = new Link(network, bob.user, 1);
    watcher.submit(stanza('presence', { type: 'subscribe', to: '200002@lid' }));
    watched.submit(stanza('presence', { type: 'available', name: 'Bob' }));
    network.detach(watched);
    const seen = watcher.take('presence').map(({ attrs }) => [attrs.from, attrs.type]);
    expect(seen).toEqual([
      ['200002@lid', 'unavailable'],
      ['200002@lid', undefined],
      ['200002@lid', 'unavailable'],
    ]);
    expect(bob.name).toBe('Bob');
    watcher.submit(stanza('chatstate', { to: '200002@lid' }, [stanza('composing')]));
    const back = new Link(network, bob.user, 1);
    expect(back.take('chatstate')).toEqual([]);
    watcher.submit(stanza('chatstate', { to: '200002@lid' }, [stanza('composing')]));
    expect(back.take('chatstate')[0]?.attrs).toEqual({ from: '100001@lid' });
  });
});
