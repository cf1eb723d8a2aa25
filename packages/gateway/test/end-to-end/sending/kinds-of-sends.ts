/** A message of each kind that the API sends, but those that change others. */
import type { Phone } from '@wuts/sandbox';
import { jpeg } from '../samples.ts';

/** Sends by a path, and gives the id of the message. */
type Send = (path: string, body?: object) => Promise<string>;

/** Ids in the order of sending; the first, `text`, is answered and forwarded by others. */
export async function sendEachKind(sent: Send, contact: Phone): Promise<{ text: string; ids: string[] }> {
  const image = (await jpeg()).toString('base64');
  const options = [{ option_name: 'now' }, { option_name: 'later' }];
  const start_time = new Date(Date.now() + 3_600_000).toISOString();
  const text = await sent('/send/text', { text: 'Hello' });
  const ids = [
    text,
    await sent('/send/text', { text: 'An answer', quoted: { message_id: text } }),
    await sent('/send/image', { image, caption: 'A picture' }),
    await sent('/send/image', { image, view_once: true }),
    await sent('/send/document', { document: image, file_name: 'a.jpg', caption: 'A file' }),
    await sent('/send/location', { latitude: 1.5, longitude: 2.5 }),
    await sent('/send/contact', { contact: { display_name: 'Maria', phone: contact.number } }),
    await sent('/send/buttons', { message: 'Shall we?', buttons: [{ id: 'yes', display_text: 'Yes' }] }),
    await sent('/send/poll', { question: 'When?', options }),
    await sent('/send/event', { name: 'Party', start_time }),
    await sent(`/messages/${text}/forward`),
  ];
  return { text, ids };
}
