/** Tag `newsletters`: changing and taking back what was published, and hearing of its counts. Beyond the documented API. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Deleting } from '../../../actions/deleting.ts';
import type { Editing } from '../../../actions/editing.ts';
import { CHANGE_FAILURES } from '../../../actions/message-copies.ts';
import { rfc3339, systemClock } from '../../../clock.ts';
import { type Newsletters, newsletterJid } from '../../../newsletters/newsletters.ts';
import type { Idempotency } from '../../../sending/idempotency.ts';
import {
  DeviceHeaders,
  DeviceQuery,
  HoldingDevice,
  HoldingDeviceQuery,
  selectedDevice,
} from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { once, SendHeaders } from '../../request/idempotency.ts';
import { MessageIdParam, RecordId } from '../../request/message.ts';
import { Jid, Nullable, Rfc3339 } from '../../schemas.ts';
import { longText } from '../messages/send-kind.ts';
import { DeviceBody, FAILURES, NewsletterParams, tags, whose } from './channels.ts';

export interface PostChangeParts {
  newsletters: Newsletters;
  editing: Editing;
  deleting: Deleting;
  idempotency: Idempotency;
}

const PostParams = Type.Object({ ...NewsletterParams.properties, messageId: MessageIdParam });

export const postChangeRoutes: FastifyPluginAsyncTypebox<PostChangeParts> = async (app, parts) => {
  const { newsletters, editing, deleting, idempotency } = parts;

  app.put(
    '/newsletters/:jid/messages/:messageId',
    {
      schema: {
        tags,
        operationId: 'editNewsletterMessage',
        summary: 'Give a post another text or caption',
        description:
          'Within 30 days, by the `message_id` of the post. As `PUT /messages/{messageId}` does with the channel in ' +
          '`to`; answers with the id of the edit.',
        params: PostParams,
        querystring: HoldingDeviceQuery,
        headers: SendHeaders,
        body: Type.Object(
          { text: longText(), device_id: HoldingDevice },
          { examples: [{ text: 'Hats, a third off' }] },
        ),
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            message_id: Type.String({ examples: ['3EB0F8A1B2C3D4E5F6'] }),
            record_id: RecordId,
            newsletter: Jid,
            timestamp: Rfc3339,
          }),
          ...failures(...CHANGE_FAILURES, 'EDIT_WINDOW_EXPIRED', 'NOT_EDITABLE'),
        },
      },
    },
    (request, reply) => {
      const newsletter = newsletterJid(request.params.jid);
      const name = { id: request.params.messageId, deviceId: selectedDevice(request) };
      return once(idempotency, request, reply, async (attempt) => {
        const address = { kind: 'chat' as const, jid: newsletter };
        const { text } = request.body;
        const edit = await editing.edit(request.caller, { name, address, text, attempt });
        return {
          success: true as const,
          message_id: edit.messageId,
          record_id: edit.recordId,
          newsletter,
          timestamp: rfc3339(edit.timestamp),
        };
      });
    },
  );

  app.delete(
    '/newsletters/:jid/messages/:messageId',
    {
      schema: {
        tags,
        operationId: 'deleteNewsletterMessage',
        summary: 'Take a post back, for everybody',
        description: 'Within 30 days; of whoever runs the channel, where the account runs it too.',
        params: PostParams,
        querystring: HoldingDeviceQuery,
        headers: SendHeaders,
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            message_id: Type.String({ examples: ['3EB0F8A1B2C3D4E5F6'] }),
            newsletter: Jid,
            deleted_at: Rfc3339,
          }),
          ...failures(...CHANGE_FAILURES, 'DEVICE_AMBIGUOUS', 'DELETE_WINDOW_EXPIRED', 'NOT_DELETABLE'),
        },
      },
    },
    (request, reply) => {
      const newsletter = newsletterJid(request.params.jid);
      const name = { id: request.params.messageId, deviceId: selectedDevice(request) };
      return once(idempotency, request, reply, async (attempt) => {
        const address = { kind: 'chat' as const, jid: newsletter };
        const wanted = { name, address, type: 'for_everyone' as const, ownOnly: false, attempt };
        const { target, deletedAt } = await deleting.delete(request.caller, wanted);
        return {
          success: true as const,
          message_id: target.messageId,
          newsletter,
          deleted_at: rfc3339(deletedAt),
        };
      });
    },
  );

  app.post(
    '/newsletters/:jid/live-updates',
    {
      schema: {
        tags,
        operationId: 'followNewsletterLive',
        summary: 'Hear of views and reactions of a channel for a while',
        description:
          'WhatsApp then tells of them by `newsletter.live_update`, some minutes long (`seconds`): ask again for more.',
        params: NewsletterParams,
        querystring: DeviceQuery,
        headers: DeviceHeaders,
        body: DeviceBody,
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            newsletter: Jid,
            seconds: Nullable(Type.Integer({ description: 'Null when WhatsApp does not say' })),
            until: Nullable(Rfc3339),
          }),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const newsletter = newsletterJid(request.params.jid);
      const seconds = await newsletters.followLive(whose(request), newsletter);
      const until = seconds === null ? null : rfc3339(systemClock.now() + seconds * 1000);
      return { success: true as const, newsletter, seconds, until };
    },
  );
};
