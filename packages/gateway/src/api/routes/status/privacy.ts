/** Tag `status`: who sees the stories of the account. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { DEVICE_FAILURES } from '../../../devices/choice.ts';
import { invalidField } from '../../../errors.ts';
import { mentionedJids } from '../../../sending/recipients.ts';
import type { Stories } from '../../../stories/stories.ts';
import { SESSION_FAILURES } from '../../../whatsapp/port/app-errors.ts';
import { refusing } from '../../description/stated.ts';
import { DeviceHeaders, DeviceId, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { Jid, OneOf } from '../../schemas.ts';
import { sayStoryErrors, storyFailures } from './story-errors.ts';

export interface PrivacyParts {
  stories: Stories;
}

const MOST_PEOPLE = 10_000;
const AudienceType = OneOf(['contacts', 'whitelist', 'blacklist'] as const, {
  description: 'All contacts; only those of the list; all but those of the list',
});
const CODES = [...DEVICE_FAILURES, ...SESSION_FAILURES];

export const storyPrivacyRoutes: FastifyPluginAsyncTypebox<PrivacyParts> = async (app, parts) => {
  await app.register(readingRoutes, parts);
  await app.register(choosingRoutes, parts);
};

const readingRoutes: FastifyPluginAsyncTypebox<PrivacyParts> = async (app, { stories }) => {
  sayStoryErrors(app, 'reading');
  app.get(
    '/status/privacy',
    {
      schema: {
        tags: ['status'],
        operationId: 'getStatusPrivacy',
        summary: "Who sees the account's stories",
        querystring: DeviceQuery,
        headers: DeviceHeaders,
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            lists: Type.Array(
              Type.Object({ type: AudienceType, default: Type.Boolean(), list: Type.Array(Jid) }),
              { description: 'The one that is used first' },
            ),
          }),
          ...failures(...storyFailures('reading', CODES)),
        },
      },
    },
    async (request) => {
      const lists = await stories.privacy(request.caller, selectedDevice(request));
      return {
        success: true as const,
        lists: lists.map(({ audience, isDefault, people }) => ({
          type: audience,
          default: isDefault,
          list: people.flatMap(({ jid, lid }) => jid ?? lid ?? []),
        })),
      };
    },
  );
};

const choosingRoutes: FastifyPluginAsyncTypebox<PrivacyParts> = async (app, { stories }) => {
  sayStoryErrors(app, 'choosing');
  app.put(
    '/status/privacy',
    {
      schema: {
        tags: ['status'],
        operationId: 'updateStatusPrivacy',
        summary: "Choose who sees the account's stories",
        description: 'On all devices of the account. The list counts for `whitelist` and `blacklist`.',
        querystring: DeviceQuery,
        headers: DeviceHeaders,
        body: refusing(
          'an empty whitelist, and who is no person',
          Type.Object(
            {
              type: AudienceType,
              list: Type.Optional(
                Type.Array(Type.String(), { maxItems: MOST_PEOPLE, description: 'Numbers or JIDs' }),
              ),
              device_id: DeviceId,
            },
            { examples: [{ type: 'whitelist', list: ['5511999999999'] }] },
          ),
        ),
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            type: AudienceType,
            count: Type.Integer(),
            list: Type.Array(Jid),
          }),
          ...failures(...storyFailures('choosing', CODES)),
        },
      },
    },
    async (request) => {
      const { type, list = [] } = request.body;
      if (type === 'whitelist' && list.length === 0) {
        throw invalidField('list', 'list cannot be empty for whitelist');
      }
      const taken = await stories.setPrivacy(request.caller, {
        deviceId: selectedDevice(request),
        audience: type,
        names: type === 'contacts' ? [] : mentionedJids(list, 'list'),
      });
      return { success: true as const, type, count: taken.length, list: taken };
    },
  );
};
