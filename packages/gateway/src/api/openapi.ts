/** The API's description of itself: `/openapi.json` and the page at `/docs`. */
import fastifySwagger from '@fastify/swagger';
import fastifySwaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance, RouteOptions } from 'fastify';
import type { Access } from './auth.ts';
import { finished } from './description/finished.ts';
import { describedWebhooks } from './event-schemas.ts';
import { withFailuresOfServer } from './request/failures.ts';
import { ErrorEnvelope, Warnings } from './schemas.ts';

/** Registers the generator; must come before the routes it describes. */
export async function registerOpenApi(
  app: FastifyInstance,
  info: { version: string; publicUrl: string | null; tags: readonly { name: string; description: string }[] },
): Promise<void> {
  app.addSchema(ErrorEnvelope);
  app.addHook('onRoute', completeSchema);
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'WUTS',
        version: info.version,
        description:
          'Self-hosted, multi-tenant WhatsApp gateway: link numbers, send, receive, edit, track. Members of bodies ' +
          'and query parameters are taken in camelCase and in snake_case; each stands here in its documented spelling. ' +
          'One that may be left out is not given either when it is null, an empty text or list, or 0; where ' +
          '`x-empty-counts` stands, what is empty means something, and null what the member says of it, or nothing. ' +
          '`x-refused-further` tells in words what is refused beyond the schema.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: info.publicUrl ?? '/' }],
      tags: info.tags.map(({ name, description }) => ({ name, description })),
      components: {
        securitySchemes: {
          bearerAuth: { type: 'http', scheme: 'bearer', description: "A user's token (UUID v4)" },
          apiKeyAuth: {
            type: 'apiKey',
            in: 'header',
            name: 'X-Api-Key',
            description:
              'The same token, for programs that send it so; `apikey` is another name of the header',
          },
          masterToken: {
            type: 'http',
            scheme: 'bearer',
            description: "The platform's master token, for operations across tenants",
          },
        },
      },
      webhooks: describedWebhooks(),
    },
    transformObject: (made) => finished('openapiObject' in made ? made.openapiObject : {}),
    refResolver: {
      buildLocalReference: (json, _baseUri, _fragment, index) =>
        typeof json.$id === 'string' ? json.$id : `def-${index}`,
    },
  });
  await app.register(async (scope) => {
    scope.addHook('onRoute', makePublic);
    await scope.register(fastifySwaggerUi, {
      routePrefix: '/docs',
      // Swagger UI would otherwise ask validator.swagger.io for a badge: nothing here calls out.
      // A token typed there is gone with the page: whoever uses the browser next finds none.
      uiConfig: { validatorUrl: null, docExpansion: 'list', deepLinking: true, persistAuthorization: false },
      staticCSP: docsPolicy(info.publicUrl),
    });
    scope.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  });
}

/**
 * Scripts of the page itself, calls to this server alone. Not the plugin's own policy: it asks browsers to turn
 * every address into https, which a gateway inside a network of its own has not.
 */
function docsPolicy(publicUrl: string | null): string {
  const server = publicUrl === null ? '' : ` ${new URL(publicUrl).origin}`;
  return [
    "default-src 'none'",
    "script-src 'self'",
    // Swagger UI writes styles into its elements.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    `connect-src 'self'${server}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function makePublic(route: RouteOptions): void {
  route.config = { ...route.config, access: 'public' };
}

/** Adds to every described route what follows from how it is built: who may call it, and how it may fail. */
function completeSchema(route: RouteOptions): void {
  const schema = route.schema;
  if (!schema || schema.hide === true) return;
  schema.security ??= security(route.config?.access ?? 'user');
  schema.response = withWarnings(withFailuresOfServer(route));
}

/** Every object that is answered to a success may carry them: see `warnOfIgnored`. */
function withWarnings(response: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(response).map(([status, answer]) => {
      if (!status.startsWith('2')) return [status, answer];
      // An answer that has several types says its schema with each.
      const { content } = answer as { content?: Record<string, { schema: unknown }> };
      const json = content?.['application/json'];
      if (!json) return [status, mayWarn(answer)];
      const warning = { ...json, schema: mayWarn(json.schema) };
      return [status, { ...(answer as object), content: { ...content, 'application/json': warning } }];
    }),
  );
}

function mayWarn(schema: unknown): unknown {
  const { type, properties } = schema as { type?: unknown; properties?: object };
  if (type !== 'object' || !properties) return schema;
  return { ...(schema as object), properties: { ...properties, warnings: Warnings } };
}

function security(access: Access): Record<string, string[]>[] {
  if (access === 'public') return [];
  if (access === 'master') return [{ masterToken: [] }];
  const user = [{ bearerAuth: [] }, { apiKeyAuth: [] }];
  return access === 'user or master' ? [...user, { masterToken: [] }] : user;
}
