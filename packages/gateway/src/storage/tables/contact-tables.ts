/** The tables of what an account's people are, and whom it has blocked. */
import type { DeviceId, TenantId } from '../../ids.ts';

/** What is known of the lists of an account, beside their entries. */
export interface ContactListsTable {
  tenant_id: TenantId;
  device_id: DeviceId;
  /** The device's account, whose lists they are. */
  account: string;
  /** WhatsApp's hash of the block list; null while the list is not known, or not known any more. */
  block_hash: string | null;
  /** Milliseconds: when the block list was told or read; null while it is not known. */
  blocked_at: number | null;
  /** Milliseconds: when the saved contacts were first there as a whole; null before. */
  contacts_at: number | null;
}

export interface BlockedContactsTable {
  tenant_id: TenantId;
  device_id: DeviceId;
  account: string;
  /** Canonical: the phone-number JID when known, else the LID. */
  jid: string;
  lid: string | null;
}

/** People that an account knows by a name. */
export interface ContactsTable {
  tenant_id: TenantId;
  device_id: DeviceId;
  account: string;
  /** Canonical. */
  jid: string;
  lid: string | null;
  /** 1: in the account's address book. */
  saved: number;
  /** As saved. */
  first_name: string | null;
  full_name: string | null;
  /** As the person calls themselves. */
  push_name: string | null;
  /** As the certificate of a business has it. */
  business_name: string | null;
  about: string | null;
  picture_id: string | null;
  /** What lists go by: the folded name that is shown. */
  sort_name: string;
  /** What searches look in: all names and the number, folded. */
  words: string;
  /** Milliseconds. */
  updated_at: number;
}
