import { randomBytes } from 'node:crypto';
import type { proto } from 'baileys';

export interface PollOptions {
  /** How many options one voter may choose; 0 (default) means any number. */
  selectable?: number;
}

/** Current clients send single-choice polls as version 3 and others in the first form. */
export function composePoll(
  question: string,
  options: readonly string[],
  { selectable = 0 }: PollOptions = {},
): proto.IMessage {
  const poll: proto.Message.IPollCreationMessage = {
    name: question,
    options: options.map((optionName) => ({ optionName })),
    selectableOptionsCount: selectable,
  };
  return {
    ...(selectable === 1 ? { pollCreationMessageV3: poll } : { pollCreationMessage: poll }),
    // Votes are encrypted under this secret.
    messageContextInfo: { messageSecret: randomBytes(32) },
  };
}
