/** Tag `chats`: the messages of one chat, in pages and as a file. */
import { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import type { Chats } from '../../../chats/chats.ts';
import type { ChatExport, ChatExports } from '../../../chats/export.ts';
import { CHAT_FAILURES } from '../../../chats/targets.ts';
import type { MessageFinder } from '../../../messages/finding/finder.ts';
import { DeviceHeaders, DeviceId, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { filterBy, messageFilter, messageObject, PageAnswer, pageAnswer } from '../messages/find.ts';
import { ChatPath, chatObject } from './schemas.ts';

export interface MessagesOfChatParts {
  chats: Chats;
  finder: MessageFinder;
  exports: ChatExports;
}

const NDJSON = 'application/x-ndjson';

export const messagesOfChatRoutes: FastifyPluginAsyncTypebox<MessagesOfChatParts> = async (
  app,
  { chats, finder, exports },
) => {
  const shared = { tags: ['chats'], headers: DeviceHeaders, params: ChatPath };

  app.get(
    '/chats/:jid/messages',
    {
      schema: {
        ...shared,
        operationId: 'listChatMessages',
        summary: 'List the stored messages of a chat',
        description: 'As `GET /messages?chat=`, of one device.',
        querystring: Type.Object({ device_id: DeviceId, ...messageFilter }),
        response: { 200: PageAnswer, ...failures(...CHAT_FAILURES) },
      },
    },
    async (request) => {
      const name = { deviceId: selectedDevice(request), jid: request.params.jid };
      const { deviceId, chat } = await chats.messagesOf(request.caller, name);
      const page = await finder.list(request.caller, { ...filterBy(request.query), deviceId, chat });
      return pageAnswer(page);
    },
  );

  app.get(
    '/chats/:jid/export',
    {
      exposeHeadRoute: false,
      schema: {
        ...shared,
        operationId: 'exportChat',
        summary: 'Export a chat',
        description:
          'One JSON object a line: first the chat (`{"chat": …}`), then every stored message from the oldest on ' +
          '(`{"message": …}`, as `GET /messages` has it; files by `media.url`), and at the end `{"complete": true, ' +
          '"count": …}`. A file without that line was broken off.',
        querystring: DeviceQuery,
        response: {
          200: {
            description: 'The chat, line by line',
            content: { [NDJSON]: { schema: Type.String() } },
          },
          ...failures(...CHAT_FAILURES),
        },
      },
    },
    async (request, reply) => {
      const name = { deviceId: selectedDevice(request), jid: request.params.jid };
      const exported = await exports.open(request.caller, name);
      const ended = new AbortController();
      const text = Readable.from(lines(exported, ended.signal), { objectMode: false });
      text.once('close', () => ended.abort());
      return sendFile(reply, text, `chat-${fileName(request.params.jid)}.jsonl`);
    },
  );
};

function sendFile(reply: FastifyReply, text: Readable, name: string): FastifyReply {
  return reply
    .headers({
      'content-type': `${NDJSON}; charset=utf-8`,
      'content-disposition': `attachment; filename="${name}"`,
      'cache-control': 'no-store',
    })
    .send(text);
}

async function* lines({ chat, messages }: ChatExport, signal: AbortSignal): AsyncGenerator<string> {
  yield line({ chat: chatObject({ chat, last: null }) });
  let count = 0;
  for await (const message of messages(signal)) {
    count += 1;
    yield line({ message: messageObject(message) });
  }
  yield line({ complete: true, count });
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`;
}

function fileName(jid: string): string {
  return jid.replace(/[^\w-]/g, '').slice(0, 40);
}
