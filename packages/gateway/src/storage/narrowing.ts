/**
 * Conditions and orders that no index is chosen for.
 *
 * A planner without statistics takes everything of a tenant for ten rows, and then prefers going through all
 * of them to looking up five ids. What finds the rows is written as a plain condition; what only checks them is
 * written with these. `test/statement-plans` fails where that was forgotten.
 */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { TenantId } from '../ids.ts';

/** "Of this tenant", for rows that are found by another key; of the one table of the query. */
export function checkedTenant(tenantId: TenantId): RawBuilder<SqlBool> {
  return checked('tenant_id', tenantId);
}

/** The same of another column of texts. */
export function checked(column: string, value: string): RawBuilder<SqlBool> {
  return sql<SqlBool>`${sql.ref(column)} || '' = ${value}`;
}

/** For `orderBy`: as the rows of the one table of the query were stored, whatever the clock said then. */
export function storingOrder(): RawBuilder<number> {
  return sql<number>`rowid`;
}

/** For `orderBy`: the few rows that were found are sorted, and not found in this order. */
export function sortedBy(column: string): RawBuilder<number> {
  return sql<number>`${sql.ref(column)} + 0`;
}
