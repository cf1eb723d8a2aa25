/** A link to the page that leads a person through the passkey step. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { rfc3339 } from '../../../clock.ts';
import type { Devices } from '../../../devices/devices.ts';
import { PASSKEY_FAILURES } from '../../../devices/passkey.ts';
import type { PasskeyLinks } from '../../../devices/passkey-links.ts';
import { invalidField } from '../../../errors.ts';
import { failures } from '../../request/failures.ts';
import { Rfc3339, Uuid } from '../../schemas.ts';
import { DevicePath } from './schemas.ts';

const PasskeyLinkData = Type.Object({
  success: Type.Literal(true),
  data: Type.Object({
    device_id: Uuid,
    url: Type.String({
      format: 'uri',
      description:
        'For the person who has the passkey; who has it may hand in an answer, and see nothing else',
      examples: ['https://gateway.example/passkey/#DlOK0u8oEN7IqDDB3Lk1nWZLPFB8ibXrV4XnrQ3Lx5c'],
    }),
    expires_at: Rfc3339,
  }),
});

export interface PasskeyLinkParts {
  devices: Devices;
  links: PasskeyLinks;
  /** Where people reach the gateway; null: where this request did. */
  publicUrl: string | null;
}

/** `/devices/{deviceID}/passkey/link`. */
export const passkeyLinkRoutes: FastifyPluginAsyncTypebox<PasskeyLinkParts> = async (
  app,
  { devices, links, publicUrl },
) => {
  app.get(
    '/devices/:deviceID/passkey/link',
    {
      // Each makes an older link useless, which nobody expects of a HEAD.
      exposeHeadRoute: false,
      schema: {
        operationId: 'getDevicePasskeyLink',
        tags: ['instances'],
        summary: 'Get a link to a page that helps to sign with the passkey',
        description:
          'For a person without a token: the page explains, leads to web.whatsapp.com and back, and shows what comes ' +
          'of it. It works in the first browser that starts with it, ends with the passkey step, and the next link of ' +
          'the device takes its place. It leads to `WUTS_PUBLIC_URL`; without that, to the host of this request.',
        params: DevicePath,
        response: { 200: PasskeyLinkData, ...failures('DEVICE_NOT_FOUND', ...PASSKEY_FAILURES) },
      },
    },
    async (request, reply) => {
      const device = await devices.resolve(request.caller, request.params.deviceID);
      const step = devices.passkey(device);
      const base = publicUrl ?? askedAt(request);
      const { token, expiresAt } = links.make(request.caller, device, step, new URL(base).origin);
      reply.header('cache-control', 'no-store');
      return {
        success: true as const,
        data: {
          device_id: device.id,
          url: `${base.replace(/\/$/, '')}/passkey/#${token}`,
          expires_at: rfc3339(expiresAt),
        },
      };
    },
  );
};

/** A name or address, and perhaps a port. */
const HOST = /^[\w.:[\]-]{1,255}$/;

/** Where the request reached the gateway, as far as it can know: a proxy that ends TLS is not seen. */
function askedAt({ protocol, host }: FastifyRequest): string {
  const url = HOST.test(host) ? URL.parse(`${protocol}://${host}`) : null;
  if (url === null) {
    throw invalidField('host', 'names no address that a link could lead to: set WUTS_PUBLIC_URL');
  }
  return url.origin;
}
