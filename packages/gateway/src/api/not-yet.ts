/** Documented operations that are not there yet, as docs/compatibility.md lists them; a test compares the two. */
export const NOT_YET: readonly string[] = [
  'POST /chats/{jid}/archive',
  'GET /chats',
  'POST /chats/{jid}/mute',
  'POST /chats/{jid}/pin',
  'DELETE /chats/{jid}/pin',
  'POST /chats/{jid}/typing',
  'POST /presence',
  'POST /presence/subscribe',
  'PUT /chats/{jid}/disappearing',
];
