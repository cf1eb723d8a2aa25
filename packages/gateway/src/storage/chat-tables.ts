/** The tables of what is known of chats beside their messages. */

/** When messages of a chat disappear; one row for each name of the chat. */
export interface ChatTimersTable {
  tenant_id: string;
  device_id: string;
  /** The device's account, whose chat it is. */
  account: string;
  /** JID or LID. */
  chat: string;
  /** 0: never. */
  seconds: number;
  /** Milliseconds: when it was set, as far as is known. */
  set_at: number;
}
