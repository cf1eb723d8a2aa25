import { createHash } from 'node:crypto';
import { proto } from 'baileys';
import type { PhoneMessage } from '../inbox.ts';
import { contentOf } from '../message-content.ts';
import { type SealedAbout, seal, unseal } from './message-secret.ts';

/** The names of a poll's options, empty when the message is no poll. */
function pollOptions(poll: proto.IMessage): string[] {
  const content = contentOf(poll);
  const creation =
    content.pollCreationMessage ?? content.pollCreationMessageV2 ?? content.pollCreationMessageV3;
  return (creation?.options ?? []).map((option) => option.optionName ?? '');
}

function optionHash(name: string): Buffer {
  return createHash('sha256').update(name).digest();
}

/**
 * Encrypts a vote under the poll's message secret. `options` are option names; an empty list takes the vote back.
 */
export function encryptPollVote(poll: SealedAbout, options: readonly string[]): proto.Message.IPollEncValue {
  const plain = proto.Message.PollVoteMessage.encode({ selectedOptions: options.map(optionHash) }).finish();
  return seal('Poll Vote', poll, plain);
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
  const { encPayload, encIv } = contentOf(vote).pollUpdateMessage?.vote ?? {};
  if (!encPayload || !encIv) return undefined;
  const names = pollOptions(poll.message);
  for (const author of creators) {
    for (const writer of voters) {
      try {
        const { id, message } = poll;
        const plain = unseal('Poll Vote', { id, message, author, writer }, { encPayload, encIv });
        const { selectedOptions } = proto.Message.PollVoteMessage.decode(plain);
        return names.filter((name) => selectedOptions.some((hash) => optionHash(name).equals(hash)));
      } catch {
        // Another combination of addresses may fit.
      }
    }
  }
  return undefined;
}
