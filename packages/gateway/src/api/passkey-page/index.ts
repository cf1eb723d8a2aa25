/**
 * The page that leads a person through the passkey step, and what it asks. None of this is of the API: it takes no
 * token but a link, and answers the page alone.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Clock } from '../../clock.ts';
import type { Devices } from '../../devices/devices.ts';
import type { PasskeyLinks, PasskeyVisit } from '../../devices/passkey-links.ts';
import { AppError } from '../../errors.ts';
import { passkeyPageFiles } from '../../passkey-pages.ts';
import { sameSecret } from '../../tenancy/tokens.ts';
import { PasskeyAssertionBody } from '../routes/instances/passkey-schemas.ts';
import { browserSecret, demandOwnPage, keepSecret } from './own-page.ts';

export interface PasskeyPageParts {
  links: PasskeyLinks;
  devices: Devices;
  clock: Clock;
}

/** Nothing from elsewhere, nothing written into the page, no frame around it, and no text that becomes a script. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': POLICY,
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  // Whoever opened it gets no hold of its window.
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'publickey-credentials-get=()',
};

const hide = true;
const LinkPath = Type.Object({ link: Type.String() });
const OpenBody = Type.Object({ token: Type.String({ maxLength: 64 }) });
const AnswerBody = Type.Object({
  state: Type.String({ maxLength: 64 }),
  credential: PasskeyAssertionBody,
});
const SMALL_BODY_BYTES = 1024;
const ANSWER_BODY_BYTES = 64 * 1024;

declare module 'fastify' {
  interface FastifyRequest {
    /** Of requests of the passkey page. */
    passkeyVisit: PasskeyVisit | null;
  }
}

export const passkeyPage: FastifyPluginAsyncTypebox<PasskeyPageParts> = async (app, parts) => {
  const { links, devices, clock } = parts;
  app.decorateRequest('passkeyVisit', null);
  app.addHook('onSend', async (_request, reply) => void reply.headers(HEADERS));

  app.get('/passkey', { config: { access: 'public' }, schema: { hide } }, async (_request, reply) =>
    reply.redirect('passkey/', 308),
  );
  for (const { path, type, text } of passkeyPageFiles()) {
    app.get(`/passkey/${path}`, { config: { access: 'public' }, schema: { hide } }, async (_request, reply) =>
      reply.type(type).send(text),
    );
  }

  app.post(
    '/passkey/open',
    {
      config: { access: 'public' },
      bodyLimit: SMALL_BODY_BYTES,
      schema: { hide, body: OpenBody },
    },
    async (request, reply) => {
      const { token } = request.body;
      const found = links.found(token);
      demandOwnPage(request, found.origin);
      const opened = await links.open(token, browserSecret(request, found));
      if (opened.secret !== null) reply.header('set-cookie', keepSecret(opened, opened.secret));
      return { success: true as const, data: { link: opened.id } };
    },
  );

  /** The owner of the device, by the cookie of a browser that started with the link. */
  const byLink = async (request: FastifyRequest) => {
    const link = links.named((request.params as { link: string }).link);
    demandOwnPage(request, link.origin);
    request.passkeyVisit = await links.visit(link.id, browserSecret(request, link));
    return request.passkeyVisit.caller;
  };
  const config = { byLink };

  app.get('/passkey/links/:link', { config, schema: { hide, params: LinkPath } }, async (request) => {
    const { id, state, step, device, linked } = visitOf(request);
    const left = step ? Math.max(0, Math.ceil((step.expiresAt - clock.now()) / 1000)) : 0;
    return {
      success: true as const,
      data: {
        link: id,
        state,
        step: step?.step ?? (linked ? ('linked' as const) : ('over' as const)),
        ttl: left,
        code: step?.code ?? null,
        request_options: step?.step === 'required' ? { ...step.options } : null,
        reason: step || linked ? null : device.stateReason,
      },
    };
  });

  app.post(
    '/passkey/links/:link/assertion',
    { config, bodyLimit: ANSWER_BODY_BYTES, schema: { hide, params: LinkPath, body: AnswerBody } },
    async (request, reply) => {
      const { state, device } = underWay(request);
      if (!sameSecret(request.body.state, state)) throw new AppError('PASSKEY_STATE_MISMATCH');
      await devices.answerPasskey(device, request.body.credential);
      return done(reply);
    },
  );

  app.post(
    '/passkey/links/:link/confirm',
    { config, bodyLimit: SMALL_BODY_BYTES, schema: { hide, params: LinkPath } },
    async (request, reply) => {
      await devices.confirmPasskey(underWay(request).device);
      return done(reply);
    },
  );

  app.delete(
    '/passkey/links/:link',
    { config, schema: { hide, params: LinkPath } },
    async (request, reply) => {
      await devices.giveUpPasskey(underWay(request).device);
      return done(reply);
    },
  );
};

/** A token opens the API, and not this. */
function visitOf(request: FastifyRequest): PasskeyVisit {
  if (request.passkeyVisit === null) throw new AppError('PASSKEY_LINK_UNKNOWN');
  return request.passkeyVisit;
}

/** What the device waits for by now may be the step of somebody else. */
function underWay(request: FastifyRequest): PasskeyVisit {
  const visit = visitOf(request);
  if (visit.step === null) throw new AppError('PASSKEY_LINK_UNKNOWN');
  return visit;
}

function done(reply: FastifyReply): FastifyReply {
  return reply.send({ success: true, data: {} });
}
