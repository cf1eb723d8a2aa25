import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Vault, VaultError } from '../../src/storage/vault.ts';

const vault = new Vault(randomBytes(32));

describe('the vault', () => {
  it('gives back what it sealed, for every length and context', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), fc.string(), (plaintext, context) => {
        const opened = vault.open(vault.seal(plaintext, context), context);
        expect(Buffer.from(opened).equals(plaintext)).toBe(true);
      }),
    );
  });

  it('seals the same value differently each time, and shows nothing of it', () => {
    const plaintext = Buffer.from('the same secret');
    const [one, other] = [vault.seal(plaintext, 'x'), vault.seal(plaintext, 'x')];
    expect(Buffer.from(one).equals(other)).toBe(false);
    expect(Buffer.from(one).includes(plaintext)).toBe(false);
    expect(one.length).toBe(plaintext.length + 29);
  });

  it('opens only with the same key and for the same context', () => {
    const sealed = vault.seal(Buffer.from('secret'), 'device 1');
    expect(() => vault.open(sealed, 'device 2')).toThrow(VaultError);
    expect(() => new Vault(randomBytes(32)).open(sealed, 'device 1')).toThrow(VaultError);
  });

  it('notices every changed, missing or added byte', () => {
    const sealed = vault.seal(Buffer.from('secret'), 'x');
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = Uint8Array.from(sealed, (byte, at) => (at === index ? byte ^ 1 : byte));
      expect(() => vault.open(changed, 'x')).toThrow(VaultError);
      expect(() => vault.open(sealed.subarray(0, index), 'x')).toThrow(VaultError);
    }
    expect(() => vault.open(Buffer.concat([sealed, Buffer.of(0)]), 'x')).toThrow(VaultError);
  });

  it('takes keys of 32 bytes alone', () => {
    expect(() => new Vault(randomBytes(16))).toThrow(VaultError);
  });
});
