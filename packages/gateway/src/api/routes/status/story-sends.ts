/** Stories that are posted later or in a bulk: the same operations, for jobs. */
import type { TSchema } from 'typebox';
import type { SendOperation } from '../../../sending/jobs/operations.ts';
import type { Stories } from '../../../stories/stories.ts';
import { STORIES } from '../../../whatsapp/port/stories.ts';
import { base64Members } from '../../request/bounds.ts';
import { bodyReader } from '../../request/validation.ts';
import type { StorySaid } from './story-bodies.ts';

/** Where a story goes, as jobs name their recipient. */
export const TO_STORIES = { kind: 'chat', jid: STORIES } as const;

/** One kind of story, by the path that posts it; `said` reads a body that fits its schema. */
export function storyOperation(
  stories: Stories,
  {
    path,
    schema,
    file,
    said,
  }: { path: string; schema: TSchema; file?: string; said(body: Record<string, unknown>): StorySaid },
): SendOperation {
  let read: ReturnType<typeof bodyReader> | null = null;
  return {
    kind: path.slice(1),
    files: () => (file === undefined ? [] : [file]),
    fileMembers: base64Members(schema),
    checked(body) {
      read ??= bodyReader(schema, path);
      const checked = read(body);
      // A file that is kept for later has no data URI any more to tell it by.
      return file === undefined ? checked : { ...checked, media_type: said(checked).type };
    },
    read: (body) => ({ content: said(body).content, address: TO_STORIES }),
    warnings: () => [],
    post: (caller, body, how) => {
      const { content, people } = said(body);
      return stories.post(caller, { ...how, deviceId: how.deviceId, content, people });
    },
  };
}
