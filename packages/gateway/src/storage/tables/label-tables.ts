/** The tables of labels, which business accounts put on chats and messages. */

import type { Generated } from 'kysely';
import type { DeviceId, MessageId, TenantId } from '../../ids.ts';

export interface LabelsTable {
  tenant_id: TenantId;
  device_id: DeviceId;
  /** The device's account, whose label it is. */
  account: string;
  /** WhatsApp's id of it: a number, as text. */
  label_id: string;
  name: string;
  /** 0 to 19: a place in the palette of the apps. */
  color: number;
  /** When it was deleted. Its id is not given out again. */
  deleted_at: number | null;
  changed_at: number;
}

/** What labels are on. */
export interface LabelMarksTable {
  id: Generated<number>;
  tenant_id: TenantId;
  device_id: DeviceId;
  account: string;
  label_id: string;
  /** Canonical chat, as in `messages`. */
  chat_jid: string;
  chat_lid: string | null;
  /** WhatsApp's id of the message; empty: the label is on the chat. */
  message_id: MessageId;
  /** When we heard of it. */
  marked_at: number;
}
