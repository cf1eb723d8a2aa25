/**
 * Echoes what people write to a linked number: a text comes back as a quote, of a file its name and size are
 * told. Needs Node 22.18 or newer and nothing else: `BASE=… TOKEN=… node echo-bot.ts`.
 */
const { BASE = 'http://127.0.0.1:3000', TOKEN = '' } = process.env;

interface Message {
  message_id: string;
  record_id: string;
  chat_jid: string;
  is_from_me: boolean;
  is_group: boolean;
  source: string;
  content: string | null;
  media: { file_name: string | null; mime_type: string } | null;
}

interface Page {
  events: { id: string; device_id: string; data: Message }[];
  next: string;
}

function call(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...init.headers };
  return fetch(`${BASE}${path}`, { ...init, headers });
}

/** The bytes of a message's file. 202 means that the phone was asked to upload it again. */
async function file(message: Message): Promise<Uint8Array> {
  for (;;) {
    const answer = await call(`/messages/${message.record_id}/media?wait=30`);
    if (answer.status === 200) return new Uint8Array(await answer.arrayBuffer());
    if (answer.status !== 202) throw new Error(`media: ${answer.status} ${await answer.text()}`);
  }
}

async function reply(event: Page['events'][number]): Promise<void> {
  const { data: message, device_id } = event;
  // Not to ourselves: what the account sent, from here or from its phone, would be echoed for ever.
  if (message.is_from_me || message.is_group || message.source === 'history') return;
  const size = message.media ? (await file(message)).length : 0;
  const text = message.media ? `${message.media.mime_type}, ${size} bytes` : message.content;
  if (!text) return;
  const answer = await call('/send/text', {
    method: 'POST',
    // The event's id: after a crash the same event answers once.
    headers: { 'idempotency-key': event.id },
    body: JSON.stringify({
      device_id,
      number: message.chat_jid,
      text,
      quoted: { key: { id: message.message_id } },
    }),
  });
  if (!answer.ok) console.error(`not answered: ${answer.status} ${await answer.text()}`);
}

/** Where to begin: now, told before anybody is invited to write. */
const begin = await call('/events?after=latest&limit=1');
if (!begin.ok) throw new Error(`events: ${begin.status} ${await begin.text()}`);
let { next: after } = (await begin.json()) as Page;
console.log('echoing');
for (;;) {
  const answer = await call(`/events?event=message.received&after=${after}&wait=30`).catch(() => null);
  if (!answer?.ok) {
    // The gateway restarts, or refuses: ask again, and not at once.
    if (answer) console.error(`events: ${answer.status} ${await answer.text()}`);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    continue;
  }
  const page = (await answer.json()) as Page;
  for (const event of page.events) {
    await reply(event).catch((error: Error) => console.error(error.message));
  }
  after = page.next;
}
