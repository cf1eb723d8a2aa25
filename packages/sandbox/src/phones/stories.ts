import type { proto } from 'baileys';
import { toJid } from './address-book.ts';
import { composeReaction, composeRevoke } from './compose/changes.ts';
import type { MediaRetry } from './media/media-retry.ts';
import { type Sender, type SendOptions, type SentMessage, STORIES } from './sending.ts';

/** A person: a phone number, a JID, or another phone. */
type Viewer = string | { readonly jid: string };

export interface StoryOptions extends Omit<SendOptions, 'audience'> {
  /** Who sees it. The server does not know the contacts of a phone: the sender names the audience. */
  readonly to: readonly Viewer[];
}

/** How a text story looks (waE2E.ExtendedTextMessage): colours as ARGB, the number of a typeface. */
export interface StoryLook {
  readonly background?: number;
  readonly color?: number;
  readonly font?: number;
}

/** What the person posts for a day. Each method resolves at the server's ack. */
export class StoryClient {
  readonly #parts: { readonly sender: Sender; readonly mediaRetry: MediaRetry };
  readonly #audiences = new Map<string, readonly string[]>();

  constructor(parts: { sender: Sender; mediaRetry: MediaRetry }) {
    this.#parts = parts;
  }

  /** A text; phones write the extended form, which alone has a place for how it looks. */
  postText(
    text: string,
    { background, color, font, ...options }: StoryOptions & StoryLook,
  ): Promise<SentMessage> {
    const look = {
      backgroundArgb: background ?? 0xff_1f_7a_6d,
      textArgb: color ?? 0xff_ff_ff_ff,
      font: font ?? 0,
    };
    return this.post({ extendedTextMessage: { text, ...look } }, options);
  }

  /** Any content. */
  async post(content: proto.IMessage, { to, ...options }: StoryOptions): Promise<SentMessage> {
    const audience = to.map((viewer) => toJid(typeof viewer === 'string' ? viewer : viewer.jid));
    const sent = await this.#parts.sender.send(STORIES, content, { ...options, audience });
    this.#audiences.set(sent.id, audience);
    this.#parts.mediaRetry.keep(sent.id, content);
    return sent;
  }

  /** Reacts to somebody's story; an empty emoji takes it back. */
  react({ id, author }: { id: string; author: Viewer }, emoji: string): Promise<SentMessage> {
    const participant = toJid(typeof author === 'string' ? author : author.jid);
    const reaction = composeReaction({ chat: STORIES, id, fromMe: false, participant }, emoji);
    return this.#parts.sender.send(STORIES, reaction, { audience: [participant] });
  }

  /** Takes a story back from all who got it. */
  delete(id: string, options: Omit<SendOptions, 'audience'> = {}): Promise<SentMessage> {
    const audience = this.#audiences.get(id) ?? [];
    const revoke = composeRevoke({ chat: STORIES, id, fromMe: true });
    return this.#parts.sender.send(STORIES, revoke, { ...options, audience });
  }
}
