/** Probes, metrics and version: for load balancers, Prometheus and people. No token needed. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { AppError } from '../../../errors.ts';
import type { Metrics } from '../../../observability/metrics.ts';
import { failures } from '../../request/failures.ts';
import type { Lifecycle } from '../../server.ts';

export interface PlatformParts {
  lifecycle: Lifecycle;
  metrics: Metrics;
  version: string;
  /** Whether the database answers. */
  databaseAnswers(): Promise<boolean>;
  /** Throws STORAGE_FULL. */
  disk?: { demand(): Promise<void> };
}

const open = { access: 'public', whileStopping: true } as const;

export const platformRoutes: FastifyPluginAsyncTypebox<PlatformParts> = async (app, parts) => {
  app.get('/', { config: open, schema: { hide: true } }, async (request, reply) => {
    // Relative: a proxy may serve this below a path of its own.
    if (request.headers.accept?.includes('text/html')) return reply.redirect('docs');
    return reply.send({ name: 'wuts', version: parts.version, docs: '/docs', openapi: '/openapi.json' });
  });

  app.get(
    '/health',
    {
      config: open,
      schema: {
        operationId: 'getHealth',
        tags: ['platform'],
        summary: 'Is the process alive',
        description: 'Answers as long as the process can answer at all. For liveness probes.',
        response: { 200: Type.Object({ status: Type.Literal('ok') }) },
      },
    },
    async () => ({ status: 'ok' as const }),
  );

  app.get(
    '/ready',
    {
      config: open,
      schema: {
        operationId: 'getReadiness',
        tags: ['platform'],
        summary: 'May requests be sent here',
        description:
          '503 while the process starts or stops, or when its database does not answer; 507 while the disk is nearly full.',
        response: { 200: Type.Object({ status: Type.Literal('ready') }), ...failures('STORAGE_FULL') },
      },
    },
    async () => {
      if (parts.lifecycle.phase === 'stopping') throw new AppError('SHUTTING_DOWN');
      if (parts.lifecycle.phase === 'starting') throw notReady('the server is starting');
      if (!(await parts.databaseAnswers())) throw notReady('the database does not answer');
      await parts.disk?.demand();
      return { status: 'ready' as const };
    },
  );

  app.get(
    '/metrics',
    {
      config: open,
      schema: {
        operationId: 'getMetrics',
        tags: ['platform'],
        summary: 'Metrics for Prometheus',
        description: 'Text exposition format. Meant for internal scraping: keep it off the public internet.',
        response: { 200: { content: { 'text/plain': { schema: Type.String() } } } },
      },
    },
    async (_request, reply) => {
      const text = await parts.metrics.registry.metrics();
      return reply.type(parts.metrics.registry.contentType).send(text);
    },
  );

  app.get(
    '/version',
    {
      config: open,
      schema: {
        operationId: 'getVersion',
        tags: ['platform'],
        summary: 'Which WUTS is this',
        response: {
          200: Type.Object({ name: Type.Literal('wuts'), version: Type.String(), node: Type.String() }),
        },
      },
    },
    async () => ({ name: 'wuts' as const, version: parts.version, node: process.version }),
  );
};

function notReady(message: string): AppError {
  return new AppError('SHUTTING_DOWN', { message, retryAfterSeconds: 1 });
}
