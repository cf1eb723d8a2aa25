import { createCipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { decryptPollVote, proto } from 'baileys';
import type { PhoneMessage } from './inbox.ts';
import { contentOf } from './message-content.ts';

/** The names of a poll's options, empty when the message is no poll. */
export function pollOptions(poll: proto.IMessage): string[] {
  const content = contentOf(poll);
  const creation =
    content.pollCreationMessage ?? content.pollCreationMessageV2 ?? content.pollCreationMessageV3;
  return (creation?.options ?? []).map((option) => option.optionName ?? '');
}

function optionHash(name: string): Buffer {
  return createHash('sha256').update(name).digest();
}

function secretOf(poll: proto.IMessage): Uint8Array {
  const secret = poll.messageContextInfo?.messageSecret ?? contentOf(poll).messageContextInfo?.messageSecret;
  if (!secret) throw new Error('the poll carries no message secret');
  return secret;
}

/**
 * Encrypts a vote: AES-256-GCM under a key made from the poll's message secret, its id and both users
 * (whatsmeow msgsecret.go, use case `Poll Vote`; the inverse of Baileys `decryptPollVote`).
 * `options` are option names; an empty list takes the vote back.
 */
export function encryptPollVote(
  poll: PhoneMessage,
  options: readonly string[],
  users: { creator: string; voter: string },
): proto.Message.IPollEncValue {
  const salt = Buffer.concat([
    Buffer.from(poll.id),
    Buffer.from(users.creator),
    Buffer.from(users.voter),
    Buffer.from('Poll Vote'),
    Buffer.from([1]),
  ]);
  const base = createHmac('sha256', Buffer.alloc(32)).update(secretOf(poll.message)).digest();
  const key = createHmac('sha256', base).update(salt).digest();
  const encIv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, encIv);
  cipher.setAAD(Buffer.from(`${poll.id}\u0000${users.voter}`));
  const plain = proto.Message.PollVoteMessage.encode({ selectedOptions: options.map(optionHash) }).finish();
  return { encPayload: Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]), encIv };
}

/**
 * The names voted for, or undefined when no combination of the users' addresses opens the vote: clients
 * differ in whether they bind a vote to LIDs or phone numbers.
 */
export function votesIn(
  vote: proto.IMessage,
  poll: PhoneMessage,
  creators: readonly string[],
  voters: readonly string[],
): readonly string[] | undefined {
  const value = contentOf(vote).pollUpdateMessage?.vote;
  if (!value) return undefined;
  const names = pollOptions(poll.message);
  for (const pollCreatorJid of creators) {
    for (const voterJid of voters) {
      try {
        const { selectedOptions } = decryptPollVote(value, {
          pollCreatorJid,
          pollMsgId: poll.id,
          pollEncKey: secretOf(poll.message),
          voterJid,
        });
        return names.filter((name) => selectedOptions?.some((hash) => optionHash(name).equals(hash)));
      } catch {
        // Another combination of addresses may fit.
      }
    }
  }
  return undefined;
}
