import { createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { BinaryNode } from 'baileys';
import { aesDecryptCTR, aesEncryptCTR, Curve, derivePairingCodeKey } from 'baileys';
import { afterEach, describe, expect, it } from 'vitest';
import { Faults } from '../../src/faults.ts';
import { CompanionSession } from '../../src/pairing/companion-session.ts';
import { bytesOf, childNamed, stanza, textOf } from '../../src/wire/stanza.ts';
import { type BarePhone, startTestNetwork, type TestNetwork } from './test-network.ts';

let net: TestNetwork;
afterEach(() => net.stop());

const NUMBER = '5511999990001';
const DEVICE = `${NUMBER}:1@s.whatsapp.net`;

/** The `link_code_companion_reg` of a stage that the phone was given, now or later. */
function linkCode(phone: BarePhone, stage: string): Promise<BinaryNode> {
  const find = (node: BinaryNode): BinaryNode | undefined => {
    const registration = childNamed(node, 'link_code_companion_reg');
    return registration?.attrs.stage === stage ? registration : undefined;
  };
  return new Promise((resolve) => {
    for (const node of phone.received) {
      const found = find(node);
      if (found) resolve(found);
    }
    phone.onStanza = (node) => {
      const found = find(node);
      if (found) resolve(found);
    };
  });
}

describe('linking by code', () => {
  it('passes the three stages between companion and phone and ends like a scan', async () => {
    net = await startTestNetwork();
    const phone = net.phone(NUMBER);
    const client = net.client().connect();
    await client.qr();
    const code = await client.socket.requestPairingCode(NUMBER);

    const hello = await linkCode(phone, 'companion_hello');
    expect(textOf(childNamed(hello, 'companion_platform_display'))).toContain('Chrome');
    const ref = childNamed(hello, 'link_code_pairing_ref');
    const wrapped = bytesOf(childNamed(hello, 'link_code_pairing_wrapped_companion_ephemeral_pub'));
    if (!ref || !wrapped) throw new Error('hello without reference or key');
    const companionKey = await derivePairingCodeKey(code, wrapped.subarray(0, 32));
    const companionEphemeral = aesDecryptCTR(wrapped.subarray(48), companionKey, wrapped.subarray(32, 48));

    const ephemeral = Curve.generateKeyPair();
    const salt = randomBytes(32);
    const iv = randomBytes(16);
    const sealed = aesEncryptCTR(ephemeral.public, await derivePairingCodeKey(code, salt), iv);
    phone.submit(
      stanza('iq', { xmlns: 'md', type: 'set', to: 's.whatsapp.net', id: 'hello' }, [
        stanza('link_code_companion_reg', { jid: `${NUMBER}@s.whatsapp.net`, stage: 'primary_hello' }, [
          stanza('link_code_pairing_wrapped_primary_ephemeral_pub', {}, Buffer.concat([salt, iv, sealed])),
          stanza('primary_identity_pub', {}, phone.identity.public),
          ref,
        ]),
      ]),
    );

    const finish = await linkCode(phone, 'companion_finish');
    const bundle = bytesOf(childNamed(finish, 'link_code_pairing_wrapped_key_bundle'));
    if (!bundle) throw new Error('finish without bundle');
    const shared = Curve.sharedKey(ephemeral.private, companionEphemeral);
    const info = 'link_code_pairing_key_bundle_encryption_key';
    const key = Buffer.from(hkdfSync('sha256', shared, bundle.subarray(0, 32), info, 32));
    const decipher = createDecipheriv('aes-256-gcm', key, bundle.subarray(32, 44));
    decipher.setAuthTag(bundle.subarray(-16));
    const plain = Buffer.concat([decipher.update(bundle.subarray(44, -16)), decipher.final()]);
    const companionIdentity = plain.subarray(0, 32);
    const secret = Buffer.concat([
      shared,
      Curve.sharedKey(phone.identity.private, companionIdentity),
      plain.subarray(64),
    ]);
    const advSecret = Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), 'adv_secret', 32));
    await phone.link(textOf(ref) ?? '', companionIdentity, advSecret);
    expect(await client.closed()).toBe(515);
    await client.end();
    client.connect();
    await client.open();
    expect(client.auth.creds.me?.id).toBe(DEVICE);
  });
});

describe('retired ADV secrets', () => {
  it('after_qr: the client is told after the references; a scan of the old secret holds', async () => {
    net = await startTestNetwork({ companionRegRefresh: 'after_qr' });
    const phone = net.phone(NUMBER);
    const client = net.client().connect();
    const told = new Promise<BinaryNode>((resolve) => {
      client.socket.ws.on('CB:notification,type:companion_reg_refresh', resolve);
    });
    await phone.scan(await client.qr());
    expect((await told).content).toEqual([stanza('companion_reg_refresh')]);
    expect(await client.closed()).toBe(515);
  });

  it('on_scan: the first scan is refused, and again, until the client shows another secret', async () => {
    net = await startTestNetwork({ companionRegRefresh: 'on_scan' });
    const phone = net.phone(NUMBER);
    const client = net.client().connect();
    const told = new Promise<void>((resolve) => {
      client.socket.ws.on('CB:notification,type:companion_reg_refresh', () => resolve());
    });
    const qr = await client.qr();
    await expect(phone.scan(qr)).rejects.toMatchObject({ reason: 'adv_secret_retired' });
    await told;
    await expect(phone.scan(qr)).rejects.toMatchObject({ reason: 'adv_secret_retired' });
    const secret = randomBytes(32).toString('base64');
    client.auth.creds.advSecretKey = secret;
    const parts = qr.split(',');
    parts[3] = secret;
    await expect(phone.scan(parts.join(','))).resolves.toEqual({ device: 1 });
  });
});

describe('scans that fail', () => {
  it('names the reason', async () => {
    net = await startTestNetwork();
    const phone = net.phone(NUMBER);
    await expect(phone.scan('2@none,a,b,c')).rejects.toMatchObject({ reason: 'unknown_ref' });
    const client = net.client().connect();
    const qr = await client.qr();
    // A wrong secret: the client finds that the HMAC does not fit and closes.
    const parts = qr.split(',');
    parts[3] = randomBytes(32).toString('base64');
    await expect(phone.scan(parts.join(','))).rejects.toMatchObject({ reason: 'companion_gone' });
    expect(phone.account.devices.size).toBe(1);
  });

  it('counts a reference only while it is shown', async () => {
    net = await startTestNetwork();
    const session = new CompanionSession({
      registration: {
        identityPublic: Buffer.alloc(32),
        noisePublic: Buffer.alloc(32),
        registrationId: 1,
        signedPreKey: { id: 1, publicKey: Buffer.alloc(32), signature: Buffer.alloc(64) },
      },
      deliver: () => {},
      close: () => {},
    });
    const after = (ref: number, ms: number): boolean =>
      session.isFresh(session.refs[ref] ?? '', session.startedAt + ms);
    expect([after(0, 60_000), after(0, 71_000)]).toEqual([true, false]);
    expect([after(1, 80_000), after(1, 91_000)]).toEqual([true, false]);
    expect(session.isFresh('2@another')).toBe(false);
  });
});

describe('the end of a link', () => {
  it('is told to a companion the phone removes, and its next login is refused', async () => {
    net = await startTestNetwork();
    const phone = net.phone(NUMBER);
    const client = await net.linked(phone);
    const before = client.events.length;
    phone.submit(
      stanza('iq', { xmlns: 'md', type: 'set', to: 's.whatsapp.net', id: 'remove' }, [
        stanza('remove-companion-device', { jid: DEVICE, reason: 'user_initiated' }),
      ]),
    );
    expect(await client.closed(before)).toBe(401);
    expect(phone.account.devices.has(1)).toBe(false);
    const again = client.events.length;
    await client.end();
    client.connect();
    expect(await client.closed(again)).toBe(401);
  });

  it('is made by a companion that logs out, and its phone and contacts are told', async () => {
    net = await startTestNetwork();
    const phone = net.phone(NUMBER);
    const contact = net.phone('5511999990002');
    phone.account.contacts.add(contact.account.user);
    const client = await net.linked(phone);
    await client.socket.logout();
    const told = (who: BarePhone): (string | undefined)[] =>
      who.received
        .filter(({ attrs }) => attrs.type === 'devices')
        .map((node) => (Array.isArray(node.content) ? node.content[0]?.tag : undefined));
    await expect.poll(() => told(phone)).toEqual(['add', 'remove']);
    expect(told(contact)).toEqual(['add', 'remove']);
  });

  it('comes with the stream errors and failures a test orders', async () => {
    net = await startTestNetwork();
    const phone = net.phone(NUMBER);
    const client = await net.linked(phone);
    const faults = new Faults(net.network);
    const ends: [() => void, number][] = [
      [() => faults.streamError(DEVICE, 'replaced'), 440],
      [() => faults.streamError(DEVICE, 503), 503],
      [() => faults.streamError(DEVICE, 'banned'), 403],
      [() => faults.streamError(DEVICE, 'outdated'), 405],
      [() => faults.drop(DEVICE), 428],
      [() => faults.streamError(DEVICE, 'logged_out'), 401],
    ];
    for (const [act, code] of ends) {
      const before = client.events.length;
      act();
      expect(await client.closed(before)).toBe(code);
      await client.end();
      if (code !== 401) {
        const reopened = client.events.length;
        client.connect();
        await client.open(reopened);
      }
    }
    expect(phone.account.devices.has(1)).toBe(false);
  });

  it('refuses a login on order, and replaces an older connection of the same device', async () => {
    net = await startTestNetwork();
    const phone = net.phone(NUMBER);
    const client = await net.linked(phone);
    await client.end();
    new Faults(net.network).refuseLogin(405, { number: NUMBER, times: 1 });
    const refused = client.events.length;
    client.connect();
    expect(await client.closed(refused)).toBe(405);
    await client.end();
    const opened = client.events.length;
    client.connect();
    await client.open(opened);
    const second = net.client();
    Object.assign(second.auth, client.auth);
    second.connect();
    expect(await client.closed(opened)).toBe(440);
    await second.open();
  });

  it('errors, silences and delays acks on order', async () => {
    net = await startTestNetwork();
    const client = await net.linked(net.phone(NUMBER));
    net.phone('5511999990002');
    const faults = new Faults(net.network);
    const send = async (id: string): Promise<string | undefined> => {
      const ack = client.socket.waitForMessage(id, 60_000) as Promise<{ attrs: Record<string, string> }>;
      await client.socket.sendMessage('5511999990002@s.whatsapp.net', { text: 'x' }, { messageId: id });
      return (await ack).attrs.error;
    };
    faults.nextAckError(479);
    expect(await send('ACK0001')).toBe('479');
    expect(await send('ACK0002')).toBeUndefined();
    faults.silenceAck();
    const silent = client.socket.waitForMessage('ACK0003', 300);
    await client.socket.sendMessage('5511999990002@s.whatsapp.net', { text: 'x' }, { messageId: 'ACK0003' });
    expect(await silent).toBeUndefined();
    faults.setLatency(50);
    expect(await send('ACK0004')).toBeUndefined();
  });

  it('lets a restricted account begin no chats, and tells its companions', async () => {
    net = await startTestNetwork();
    const client = await net.linked(net.phone(NUMBER));
    net.phone('5511999990002');
    net.phone('5511999990003');
    const faults = new Faults(net.network);
    const send = async (to: string, id: string): Promise<string | undefined> => {
      const ack = client.socket.waitForMessage(id, 60_000) as Promise<{ attrs: Record<string, string> }>;
      await client.socket.sendMessage(`${to}@s.whatsapp.net`, { text: 'x' }, { messageId: id });
      return (await ack).attrs.error;
    };
    expect(await send('5511999990002', 'LIM0001')).toBeUndefined();
    const told = new Promise((resolve) => {
      client.socket.ev.on(
        'connection.update',
        ({ reachoutTimeLock }) => reachoutTimeLock && resolve(reachoutTimeLock),
      );
    });
    faults.restrictNewChats(NUMBER, { seconds: 60, type: 'BIZ_QUALITY' });
    expect(await told).toMatchObject({ isActive: true, enforcementType: 'BIZ_QUALITY' });
    expect(await send('5511999990002', 'LIM0002')).toBeUndefined();
    expect(await send('5511999990003', 'LIM0003')).toBe('463');
    expect(await client.socket.fetchAccountReachoutTimelock()).toMatchObject({ isActive: true });
    faults.liftRestriction(NUMBER);
    expect(await client.socket.fetchAccountReachoutTimelock()).toMatchObject({ isActive: false });
    expect(await send('5511999990003', 'LIM0004')).toBeUndefined();
  });
});
