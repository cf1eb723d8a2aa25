/** The files that came with a request, by part or as base64. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Upload } from '../../media/outgoing/uploads.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What the tokens in the body stand for. */
    uploaded: Upload[] | null;
  }
}

/** Lets requests of this scope carry files, and disposes of them afterwards. */
export function holdUploads(app: FastifyInstance): void {
  if (app.hasRequestDecorator('uploaded')) return;
  app.decorateRequest('uploaded', null);
  app.addHook('onResponse', disposeUploads);
  app.addHook('onRequestAbort', disposeUploads);
}

/** A deferred message keeps its file: see `keepUploads`. */
async function disposeUploads(request: FastifyRequest): Promise<void> {
  for (const upload of request.uploaded ?? []) await upload.dispose();
}

/** The uploads now belong to somebody else, who disposes of them. */
export function keepUploads(request: FastifyRequest): Upload[] {
  const kept = request.uploaded ?? [];
  request.uploaded = null;
  return kept;
}
