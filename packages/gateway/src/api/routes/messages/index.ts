/** Tag `messages`: sending, what is done to a message afterwards, and finding it again. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { InlineFiles } from '../../../media/outgoing/inline-files.ts';
import { acceptFilesInJson } from '../../request/json-body.ts';
import { type BulkParts, bulkRoutes } from './bulk.ts';
import { type DeleteParts, deleteRoutes } from './delete.ts';
import { type FindParts, findRoutes } from './find.ts';
import { type ForwardParts, forwardRoutes } from './forward.ts';
import { type HistoryParts, messageHistoryRoutes } from './history.ts';
import { jobsRoutes } from './jobs.ts';
import { type MarkParts, markRoutes } from './mark.ts';
import { type MessageMediaParts, messageMediaRoutes } from './media.ts';
import { type PinParts, pinRoutes } from './pin.ts';
import { type PollParts, pollRoutes } from './poll.ts';
import { sendRoutes } from './send.ts';
import type { AlbumParts } from './send-album.ts';
import type { SendParts } from './send-kind.ts';
import { type StarParts, starRoutes } from './star.ts';
import { type StatusAndEditParts, statusAndEditRoutes } from './status-and-edit.ts';

export type MessagesParts = SendParts &
  AlbumParts &
  BulkParts &
  StatusAndEditParts &
  DeleteParts &
  ForwardParts &
  PinParts &
  StarParts &
  FindParts &
  PollParts &
  MarkParts &
  HistoryParts &
  MessageMediaParts & { inlineFiles: InlineFiles };

export const messagesRoutes: FastifyPluginAsyncTypebox<MessagesParts> = async (app, parts) => {
  acceptFilesInJson(app, parts.inlineFiles);
  await app.register(statusAndEditRoutes, parts);
  await app.register(deleteRoutes, parts);
  await app.register(forwardRoutes, parts);
  await app.register(pinRoutes, parts);
  await app.register(starRoutes, parts);
  await app.register(findRoutes, parts);
  await app.register(pollRoutes, parts);
  await app.register(markRoutes, parts);
  await app.register(messageHistoryRoutes, parts);
  await app.register(messageMediaRoutes, parts);
  await app.register(jobsRoutes, parts);
  await app.register(bulkRoutes, parts);
  await app.register(sendRoutes, parts);
};
