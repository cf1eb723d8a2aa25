import type { LidDirectory } from './addresses.ts';
import { type DeviceRow, deviceRow } from './device.ts';
import { LID_MAP, type StoredTables } from './tables.ts';

/** Who is who in a store: `whatsmeow_lid_map`, and the account itself. */
export class People implements LidDirectory {
  readonly #lids = new Map<string, string>();
  readonly #numbers = new Map<string, string>();
  readonly #own: ReadonlySet<string>;
  /** Digits; undefined when the store does not say it. */
  readonly ownLid: string | undefined;

  /** Throws `HeldSessionRefused`. */
  constructor(tables: StoredTables, jid: string) {
    for (const { lid, pn } of tables.rows(LID_MAP)) {
      if (lid && pn && DIGITS.test(lid) && DIGITS.test(pn)) this.#add(pn, lid);
    }
    const device = deviceRow(tables, jid);
    const number = userOf(device.jid);
    const lid = userOf(device.lid) ?? this.#lids.get(number ?? '');
    this.#own = new Set([number, lid].filter((user) => user != null));
    this.ownLid = lid;
    if (number && lid) this.#add(number, lid);
  }

  lidOf(number: string): string | undefined {
    return this.#lids.get(number);
  }

  numberOf(lid: string): string | undefined {
    return this.#numbers.get(lid);
  }

  /** Whether it is the account's own number or LID. */
  isOwn(user: string): boolean {
    return this.#own.has(user);
  }

  /** Numbers with their LIDs. */
  pairs(): Iterable<[number: string, lid: string]> {
    return this.#lids;
  }

  #add(number: string, lid: string): void {
    this.#lids.set(number, lid);
    this.#numbers.set(lid, number);
  }
}

const DIGITS = /^\d{1,20}$/;

/** The digits of a JID with a device part or without. */
function userOf(jid: DeviceRow['jid']): string | null {
  const [, user] = /^(\d{1,20})[:@]/.exec(jid ?? '') ?? [];
  return user ?? null;
}
