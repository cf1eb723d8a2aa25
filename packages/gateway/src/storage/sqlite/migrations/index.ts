/** The migrations are the files of this folder: to add one, add a file. */
import { readdir } from 'node:fs/promises';
import type { Migration } from 'kysely';

/** As written here, and as published: JavaScript, with declarations beside it. */
const MIGRATION = /^(\d{4}-[a-z0-9-]+)\.(?:ts|js)$/;

/** In order of their names; one that was released is never changed, only followed. */
export async function readMigrations(): Promise<Record<string, Migration>> {
  const migrations: Record<string, Migration> = {};
  for (const file of (await readdir(import.meta.dirname)).sort()) {
    const [, name] = MIGRATION.exec(file) ?? [];
    const { href } = new URL(file, import.meta.url);
    if (name !== undefined) migrations[name] = (await import(href)) as Migration;
  }
  return migrations;
}
