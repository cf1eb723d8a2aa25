import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fc } from '../../../sandbox/test/random.ts';
import { SEALED } from '../../src/storage/sealed.ts';
import { Vault, VaultError } from '../../src/storage/vault.ts';

const vault = new Vault(randomBytes(32));
const at = (id: string) => SEALED.message.at({ id });

describe('the vault', () => {
  it('gives back what it sealed, for every length and place', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), fc.string(), (plaintext, id) => {
        const opened = vault.open(vault.seal(plaintext, at(id)), at(id));
        expect(Buffer.from(opened).equals(plaintext)).toBe(true);
      }),
    );
  });

  it('seals the same value differently each time, and shows nothing of it', () => {
    const plaintext = Buffer.from('the same secret');
    const [one, other] = [vault.seal(plaintext, at('x')), vault.seal(plaintext, at('x'))];
    expect(Buffer.from(one).equals(other)).toBe(false);
    expect(Buffer.from(one).includes(plaintext)).toBe(false);
    expect(one.length).toBe(plaintext.length + 29);
  });

  it('opens only with the same key and for the same place', () => {
    const sealed = vault.seal(Buffer.from('secret'), at('device 1'));
    expect(() => vault.open(sealed, at('device 2'))).toThrow(VaultError);
    expect(() => new Vault(randomBytes(32)).open(sealed, at('device 1'))).toThrow(VaultError);
  });

  it('notices every changed, missing or added byte', () => {
    const sealed = vault.seal(Buffer.from('secret'), at('x'));
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = Uint8Array.from(sealed, (byte, place) => (place === index ? byte ^ 1 : byte));
      expect(() => vault.open(changed, at('x'))).toThrow(VaultError);
      expect(() => vault.open(sealed.subarray(0, index), at('x'))).toThrow(VaultError);
    }
    expect(() => vault.open(Buffer.concat([sealed, Buffer.of(0)]), at('x'))).toThrow(VaultError);
  });

  it('takes keys of 32 bytes alone', () => {
    expect(() => new Vault(randomBytes(16))).toThrow(VaultError);
  });
});
