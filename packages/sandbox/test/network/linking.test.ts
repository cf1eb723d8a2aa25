import { afterEach, describe, expect, it } from 'vitest';
import { startTestNetwork, type TestNetwork } from './test-network.ts';

let net: TestNetwork;
afterEach(() => net.stop());

describe('linking a Baileys client', () => {
  it('shows a QR code to an unlinked client', async () => {
    net = await startTestNetwork();
    const qr = await net.client().connect().qr();
    expect(qr.replace(/^.*#/, '').split(',').length).toBeGreaterThanOrEqual(4);
  });

  it('links by QR, closes with 515, logs in and takes the pre-keys', async () => {
    net = await startTestNetwork();
    const phone = net.phone('5511999990001', 'Alice');
    const client = await net.linked(phone);
    expect(client.auth.creds.me?.id).toBe('5511999990001:1@s.whatsapp.net');
    expect(client.auth.creds.me?.lid).toBe(`${phone.account.lid}:1@lid`);
    const device = phone.account.devices.get(1);
    expect(device?.keyIndex).toBe(1);
    expect(device?.preKeys.size).toBe(812);
  });
});
