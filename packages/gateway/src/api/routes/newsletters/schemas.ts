/** Channels and their posts, as the answers show them. */
import { type Static, Type } from 'typebox';
import { rfc3339, rfc3339OrNull } from '../../../clock.ts';
import type { Newsletter, NewsletterPicture, NewsletterPost } from '../../../whatsapp/port/newsletters.ts';
import { Jid, Nullable, Rfc3339 } from '../../schemas.ts';

const Text = Type.Object({ id: Type.String(), text: Type.String(), update_time: Type.String() });
const Picture = Nullable(Type.Object({ id: Type.String(), direct_path: Nullable(Type.String()) }));

/** As documented, which is as WhatsApp's own answers name things; `link` and what follows are ours. */
export const NewsletterAnswer = Type.Object(
  {
    id: Jid,
    state: Type.Object({
      type: Type.String({ description: 'Empty in the directory: it does not say', examples: ['active'] }),
    }),
    thread_metadata: Type.Object({
      creation_time: Type.String({ description: 'Unix seconds' }),
      invite: Type.String({ description: 'The end of its link' }),
      name: Text,
      description: Text,
      subscribers_count: Type.String(),
      verification: Type.String({ examples: ['unverified', 'verified'] }),
      picture: Picture,
      preview: Picture,
    }),
    viewer_metadata: Nullable(
      Type.Object({
        mute: Type.String({ examples: ['off', 'on'] }),
        role: Type.String({ examples: ['subscriber', 'owner', 'admin', 'guest'] }),
      }),
    ),
    jid: Jid,
    name: Type.String(),
    description: Type.String(),
    link: Type.String(),
    subscribers: Type.Integer(),
    created_at: Nullable(Rfc3339),
  },
  { title: 'Newsletter' },
);

export function newsletterAnswer(told: Newsletter): Static<typeof NewsletterAnswer> {
  const { jid, name, description, viewer } = told;
  return {
    id: jid,
    state: { type: told.state },
    thread_metadata: {
      creation_time: String(Math.floor((told.createdAt ?? 0) / 1000)),
      invite: told.inviteCode,
      name: textAnswer(name),
      description: textAnswer(description),
      subscribers_count: String(told.subscribers),
      verification: told.verification,
      picture: pictureAnswer(told.picture),
      preview: pictureAnswer(told.preview),
    },
    viewer_metadata: viewer && { mute: viewer.muted ? 'on' : 'off', role: viewer.role },
    jid,
    name: name.text,
    description: description.text,
    link: inviteLink(told),
    subscribers: told.subscribers,
    created_at: rfc3339OrNull(told.createdAt),
  };
}

export function inviteLink({ inviteCode }: Newsletter): string {
  return `https://whatsapp.com/channel/${inviteCode}`;
}

const textAnswer = ({ id, text, updateTime }: Newsletter['name']) => ({ id, text, update_time: updateTime });

function pictureAnswer(picture: NewsletterPicture | null) {
  return picture && { id: picture.id, direct_path: picture.directPath };
}

const Reactions = Type.Record(Type.String(), Type.Integer(), { description: 'How many, by emoji' });

/** Each figure under its documented name, and in our spelling. */
export const PostAnswer = Type.Object(
  {
    MessageServerID: Type.Integer(),
    MessageID: Type.String(),
    Type: Type.String({ examples: ['text'] }),
    Timestamp: Rfc3339,
    ViewsCount: Type.Integer(),
    ReactionCounts: Reactions,
    server_id: Type.Integer({
      description: "The server's number of the post: what the other operations take",
    }),
    message_id: Type.String(),
    timestamp: Rfc3339,
    views: Type.Integer(),
    reactions: Reactions,
    message_type: Nullable(Type.String({ description: 'Null for a post that was taken back' })),
    content: Nullable(Type.String({ description: 'Text or caption' })),
  },
  { title: 'NewsletterPost' },
);

export function postAnswer(post: NewsletterPost): Static<typeof PostAnswer> {
  const { serverId, id, type, views, reactions, content } = post;
  const timestamp = rfc3339(post.timestamp);
  return {
    MessageServerID: serverId,
    MessageID: id,
    Type: type,
    Timestamp: timestamp,
    ViewsCount: views,
    ReactionCounts: reactions,
    server_id: serverId,
    message_id: id,
    timestamp,
    views,
    reactions,
    message_type: content?.kind ?? null,
    content: content?.text ?? null,
  };
}
