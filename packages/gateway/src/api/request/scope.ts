/** Scopes of routes, as what prepares them sees them. */
import type { FastifyInstance, FastifyTypeProviderDefault } from 'fastify';

/** Any scope, whatever gives the handlers in it their types. */
export type RouteScope = Pick<FastifyInstance, 'withTypeProvider'>;

/** The scope for hooks, parsers and decorators, which look at no types of handlers. */
export function plain(scope: RouteScope): FastifyInstance {
  return scope.withTypeProvider<FastifyTypeProviderDefault>();
}
