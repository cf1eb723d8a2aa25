/** Pictures and videos that a chat shows as one: the message that announces them, and each of them. */
import { AppError, type ErrorCode } from '../../errors.ts';
import type { Jid } from '../../whatsapp/port/identity.ts';
import { type ComposeContext, type Composed, type Content, withContext } from '../content.ts';

export const FEWEST_ITEMS = 2;
/** The apps let people pick 30 at once; more become a second album. */
export const MOST_ITEMS = 30;

/** Files that are fetched and uploaded at a time, for one album. */
const AT_A_TIME = 4;

/** waE2E.MessageAssociation.AssociationType. */
const MEDIA_ALBUM = 1;

export interface AlbumItem {
  kind: 'image' | 'video';
  content: Content;
}

/** What one item may fail with while the others leave. */
const OF_ONE_ITEM: readonly ErrorCode[] = [
  'INVALID_MEDIA',
  'PAYLOAD_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'CONVERSION_UNAVAILABLE',
  'UPLOAD_FAILED',
];

/** The items as they are ready to leave; one that cannot leave is what it failed with. */
export type ReadyItems = (Composed | AppError | undefined)[];

/**
 * The message that announces an album (waE2E.AlbumMessage; Baileys Utils/messages.js, `album`). It says how many
 * pictures and videos come, so all of them are made ready first, into `ready`: one that cannot be sent is not
 * counted. Throws what the first failed with when none can be.
 */
export function albumContent(items: readonly AlbumItem[], ready: ReadyItems): Content {
  return {
    chatState: 'composing',
    async compose(context) {
      await makeReady(items, ready, { ...context, contextInfo: mentionsOf(context) });
      const count = (kind: AlbumItem['kind']): number =>
        items.filter((item, index) => item.kind === kind && !(ready[index] instanceof AppError)).length;
      const [images, videos] = [count('image'), count('video')];
      const [first] = ready;
      if (images + videos === 0 && first instanceof AppError) throw first;
      return {
        kind: 'album',
        text: null,
        message: {
          albumMessage: {
            expectedImageCount: images,
            expectedVideoCount: videos,
            ...withContext(context.contextInfo),
          },
        },
      };
    },
  };
}

/** One item of the album that `parentId` announced; made ready now, unless it is. */
export function albumItemContent(
  { content }: AlbumItem,
  parentId: string,
  ready: Composed | AppError | undefined,
): Content {
  return {
    chatState: content.chatState,
    async compose(context) {
      const composed = ready ?? (await content.compose(context));
      if (composed instanceof AppError) throw composed;
      const messageAssociation = {
        associationType: MEDIA_ALBUM,
        parentMessageKey: parentKey(context.recipient.to, parentId),
      };
      return { ...composed, message: { ...composed.message, messageContextInfo: { messageAssociation } } };
    },
  };
}

function parentKey(chat: Jid, id: string) {
  return { remoteJid: chat, fromMe: true, id };
}

/** Captions mention people; what is answered to is said once, by the album. */
function mentionsOf({ contextInfo }: ComposeContext): ComposeContext['contextInfo'] {
  const mentionedJid = contextInfo?.mentionedJid;
  return mentionedJid ? { mentionedJid } : null;
}

async function makeReady(
  items: readonly AlbumItem[],
  ready: ReadyItems,
  context: ComposeContext,
): Promise<void> {
  const waiting = [...items.entries()];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [index, { content }] = next;
      try {
        ready[index] = await content.compose(context);
      } catch (error) {
        if (!(error instanceof AppError) || !OF_ONE_ITEM.includes(error.code)) {
          // Nobody takes up another one.
          waiting.length = 0;
          throw error;
        }
        ready[index] = error;
      }
    }
  };
  const done = await Promise.allSettled(Array.from({ length: AT_A_TIME }, work));
  for (const each of done) if (each.status === 'rejected') throw each.reason;
}
