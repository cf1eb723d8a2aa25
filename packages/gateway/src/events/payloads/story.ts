/** Stories of contacts as public `data`. */
import type { Static } from 'typebox';
import { parseRfc3339, rfc3339 } from '../../clock.ts';
import { STORY_MS } from '../../whatsapp/port/stories.ts';
import type { RevokedData } from '../catalogue/message.ts';
import type { MessageData } from '../catalogue/message-data.ts';
import type { StoryContent, StoryData, StoryDeletedData } from '../catalogue/story.ts';

/** What it shows; how a text looks stands in the `details` of its message. */
export function storyContent({ message_type, content, media, details }: MessageData): StoryContent {
  const look = (details ?? {}) as Record<string, unknown>;
  const colour = (name: string): string | null => {
    const value = look[name];
    return typeof value === 'string' ? value : null;
  };
  return {
    message_type,
    content,
    background_color: colour('background_color'),
    text_color: colour('text_color'),
    font: typeof look.font === 'number' ? look.font : null,
    media,
  };
}

export function storyData(message: MessageData): Static<typeof StoryData> {
  const { message_id, record_id, sender, timestamp, source } = message;
  return {
    message_id,
    record_id,
    sender,
    ...storyContent(message),
    timestamp,
    expires_at: expiry(timestamp),
    source,
  };
}

export function storyDeletedData(revoked: Static<typeof RevokedData>): Static<typeof StoryDeletedData> {
  const { message_id, record_id, sender, revoke_id, timestamp } = revoked;
  return { message_id, record_id, sender, revoke_id, timestamp };
}

/** Until when a story of that time is shown, both RFC 3339. */
export function expiry(timestamp: string): string {
  return rfc3339((parseRfc3339(timestamp) ?? 0) + STORY_MS);
}
