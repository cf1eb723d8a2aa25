/** A program written against the generated types: compiled with them, then run against a gateway on the sandbox. */
import createClient from 'openapi-fetch';
import type { components, paths } from './wuts.d.ts';

declare const process: { env: Record<string, string | undefined> };

const { BASE_URL: baseUrl = '', TOKEN: token = '', NUMBER: number = '' } = process.env;
const client = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${token}` } });

function because(error: components['schemas']['ErrorEnvelope']): Error {
  return new Error(`${error.error_code}: ${error.error}`);
}

const sent = await client.POST('/send/text', { body: { number, text: 'Sent by a generated client' } });
if (sent.error) throw because(sent.error);
const id = sent.data.message_id;

const status = await client.GET('/messages/{id}/status', { params: { path: { id } } });
if (status.error) throw because(status.error);
const reached: components['schemas']['MessageStatus'] = status.data.status;
if (!sent.data.success || reached === 'failed') throw new Error(`the message is ${reached}`);

const found = await client.GET('/messages/{messageId}', { params: { path: { messageId: id } } });
if (found.error) throw because(found.error);
const message: components['schemas']['Message'] = found.data.message;
if (message.content !== 'Sent by a generated client') throw new Error(`it says ${message.content}`);

const unknown = await client.GET('/messages/{messageId}', { params: { path: { messageId: 'no-such-id' } } });
if (unknown.error?.error_code !== 'MESSAGE_NOT_FOUND') throw new Error('an unknown id is found');
console.log(`sent ${id}, which is ${reached}`);
