import { randomUUID } from 'node:crypto';
import type { Kysely, Selectable } from 'kysely';
import { AppError } from '../errors.ts';
import type { Database, UsersTable } from '../storage/schema.ts';
import type { Role } from './caller.ts';
import { newToken } from './tokens.ts';

export interface User {
  id: string;
  tenantId: string;
  email: string;
  role: Role;
  tokenPreview: string;
  active: boolean;
  webhookUrl: string | null;
  createdAt: number;
  updatedAt: number;
}

export interface NewUser {
  tenantId: string;
  email: string;
  passwordHash: string;
  role: Role;
  webhookUrl: string | null;
}

/** Addresses are compared without case, as every mail system in use treats them. */
export function canonicalEmail(email: string): string {
  return email.trim().toLowerCase();
}

/** Throws ALREADY_EXISTS when the tenant has the address already. */
export async function assertFreeEmail(db: Kysely<Database>, tenantId: string, email: string): Promise<void> {
  const taken = await db
    .selectFrom('users')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('email', '=', canonicalEmail(email))
    .executeTakeFirst();
  if (taken) throw emailTaken();
}

function emailTaken(): AppError {
  return new AppError('ALREADY_EXISTS', { message: 'a user with this email exists already' });
}

/** Inserts a user with a fresh token; throws ALREADY_EXISTS when the tenant has the address already. */
export async function addUser(
  db: Kysely<Database>,
  user: NewUser,
  at: number,
): Promise<{ user: User; token: string }> {
  const { token, hash, preview } = newToken();
  const row: Selectable<UsersTable> = {
    id: randomUUID(),
    tenant_id: user.tenantId,
    email: canonicalEmail(user.email),
    password_hash: user.passwordHash,
    role: user.role,
    token_hash: hash,
    token_preview: preview,
    active: 1,
    webhook_url: user.webhookUrl,
    deleting_at: null,
    created_at: at,
    updated_at: at,
  };
  const inserted = await db
    .insertInto('users')
    .values(row)
    .onConflict((conflict) => conflict.columns(['tenant_id', 'email']).doNothing())
    .executeTakeFirst();
  if (inserted.numInsertedOrUpdatedRows !== 1n) {
    throw emailTaken();
  }
  return { user: toUser(row), token };
}

export type UserRow = Selectable<UsersTable>;

/** The row in our terms, without its token. */
export function toUser(row: UserRow): User {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    email: row.email,
    role: row.role,
    tokenPreview: row.token_preview,
    active: row.active === 1,
    webhookUrl: row.webhook_url,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
