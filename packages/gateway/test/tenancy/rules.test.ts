/** Who may see and do what, and what tokens and passwords are, without a server. */
import { describe, expect, test } from 'vitest';
import type { Caller, Role } from '../../src/tenancy/caller.ts';
import { hashPassword } from '../../src/tenancy/passwords.ts';
import { mayActivate, mayChangeRole, mayDelete, mayRotateToken, mayView } from '../../src/tenancy/roles.ts';
import { hashToken, looksLikeUuid, newToken, sameSecret } from '../../src/tenancy/tokens.ts';
import {
  maySee,
  onlyOwner,
  seesTheSame,
  seesWholeTenant,
  visibleRows,
} from '../../src/tenancy/visibility.ts';

const caller = (role: Role): Caller => ({ tenantId: 't', userId: 'me', role });
const other = (role: Role) => ({ id: 'other', role });

describe('what a caller sees', () => {
  test.each([
    ['admin', true],
    ['manager', true],
    ['user', false],
  ] as const)('%s: the whole tenant, %s', (role, whole) => {
    const who = caller(role);
    expect(seesWholeTenant(who)).toBe(whole);
    expect(onlyOwner(who)).toBe(whole ? undefined : 'me');
    expect(visibleRows(who)).toEqual(whole ? { tenant_id: 't' } : { tenant_id: 't', user_id: 'me' });
    expect(maySee(who, { tenantId: 't', userId: 'me' })).toBe(true);
    expect(maySee(who, { tenantId: 't', userId: 'other' })).toBe(whole);
    expect(maySee(who, { tenantId: 'elsewhere', userId: 'me' })).toBe(false);
    expect(mayView(who, other('user'))).toBe(whole);
    expect(mayView(who, { id: 'me', role })).toBe(true);
  });

  test('is the same while tenant, user and role are', () => {
    const now = caller('user');
    expect(seesTheSame(now, { ...now })).toBe(true);
    for (const change of [{ tenantId: 'x' }, { userId: 'x' }, { role: 'admin' as const }]) {
      expect(seesTheSame({ ...now, ...change }, now)).toBe(false);
    }
  });
});

describe('what a caller may do to others', () => {
  test.each([
    ['admin', 'admin', true],
    ['admin', 'user', true],
    ['manager', 'admin', false],
    ['manager', 'manager', true],
    ['manager', 'user', true],
    ['user', 'user', false],
  ] as const)('%s sets whether a %s is active: %s', (role, target, may) => {
    expect(mayActivate(caller(role), other(target))).toBe(may);
  });

  test.each([
    ['admin', 'admin', 'user', true],
    ['admin', 'user', 'admin', true],
    ['manager', 'user', 'manager', true],
    ['manager', 'manager', 'user', true],
    ['manager', 'user', 'admin', false],
    ['manager', 'admin', 'user', false],
    ['user', 'user', 'user', false],
  ] as const)('%s makes a %s %s: %s', (role, from, to, may) => {
    expect(mayChangeRole(caller(role), other(from), to)).toBe(may);
  });

  test.each([
    ['admin', true],
    ['manager', false],
    ['user', false],
  ] as const)('%s deletes, and takes tokens: %s', (role, may) => {
    expect(mayDelete(caller(role))).toBe(may);
    expect(mayRotateToken(caller(role), other('user'))).toBe(may);
    expect(mayRotateToken(caller(role), { id: 'me', role })).toBe(true);
  });
});

describe('tokens', () => {
  test('are random UUIDs, kept as a hash that letters of either case give', () => {
    const { token, hash, preview } = newToken();
    expect(looksLikeUuid(token)).toBe(true);
    expect(newToken().token).not.toBe(token);
    expect([hashToken(token), hashToken(token.toUpperCase())]).toEqual([hash, hash]);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(preview).toBe(token.slice(0, 8));
  });

  const UUID = '0b7f3c1e-94d2-4a6b-8c5d-2e1f00a9b8c7';
  test.each([
    [UUID, true],
    [UUID.toUpperCase(), true],
    [`x${UUID}`, false],
    [`${UUID}x`, false],
    [UUID.slice(1), false],
    [UUID.slice(0, -1), false],
    [UUID.replace('94d2', '94g2'), false],
    [UUID.replaceAll('-', ''), false],
    [UUID.replace('-94d2', ''), false],
    [UUID.replace('4a6b', '4a6'), false],
    [UUID.replace('8c5d', '8c5dd'), false],
    ['', false],
  ])('%j looks like one: %s', (text, like) => {
    expect(looksLikeUuid(text)).toBe(like);
  });

  test('secrets are compared whole', () => {
    expect([sameSecret('abc', 'abc'), sameSecret('abc', 'abd'), sameSecret('abc', 'abcd')]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

test('a password is kept as scrypt with its cost, under a salt of its own', async () => {
  // The real cost takes a fifth of a second.
  const cost = { N: 16, r: 8, p: 1 };
  const [one, other] = [await hashPassword('secret', 't', cost), await hashPassword('secret', 't', cost)];
  for (const kept of [one, other]) expect(kept).toMatch(/^scrypt\$16\$8\$1\$[\w+/]{22}==\$[\w+/]{43}=$/);
  expect(one).not.toBe(other);
});
