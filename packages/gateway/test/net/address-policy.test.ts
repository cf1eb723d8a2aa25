import { describe, expect, test } from 'vitest';
import { AddressPolicy } from '../../src/net/address-policy.ts';

describe('addresses that an outgoing request may reach', () => {
  const policy = new AddressPolicy();
  test.each([
    '127.0.0.1',
    '127.8.9.1',
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '168.63.129.16',
    '100.64.0.1',
    '100.100.100.200',
    '192.0.0.192',
    '198.18.0.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::7f00:1',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '::ffff:0:127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::a00:1',
    '2002:7f00:1::',
    '2001::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'fc00::1',
    'fd00:ec2::254',
    'ff02::1',
    '100::1',
    '2001:db8::1',
    '4000::1',
    '::ffff:168.63.129.16',
    'not an address',
    '',
  ])('refuses %s', (address) => {
    expect(policy.permits(address)).toBe(false);
  });

  test.each([
    '8.8.8.8',
    '168.63.129.15',
    '2606:4700::1111',
    '3fff:ffff::1',
    '::ffff:8.8.8.8',
  ])('permits %s', (address) => {
    expect(policy.permits(address)).toBe(true);
  });

  test('what the operator allowed, and nothing beside it', () => {
    const opened = new AddressPolicy(['10.0.0.0/8', 'fd00::/8']);
    expect(opened.permits('10.1.2.3')).toBe(true);
    expect(opened.permits('::ffff:10.1.2.3')).toBe(true);
    expect(opened.permits('fd12::1')).toBe(true);
    expect(opened.permits('9.255.255.255')).toBe(true);
    expect(opened.permits('fe80::1')).toBe(false);
    expect(opened.permits('192.168.0.1')).toBe(false);
    expect(opened.permits('127.0.0.1')).toBe(false);
    expect(() => new AddressPolicy(['10.0.0.0'])).toThrow();
  });
});
