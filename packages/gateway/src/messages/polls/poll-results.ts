/** The results of a poll: the latest vote of each voter counts. */
import type { Kysely } from 'kysely';
import { AppError } from '../../errors.ts';
import { contradicts, identityOf, sameIdentity } from '../../identity/jid.ts';
import type { MessageName } from '../../identity/message-name.ts';
import type { Database } from '../../storage/schema.ts';
import type { Caller } from '../../tenancy/caller.ts';
import type { Identity } from '../../whatsapp/port/identity.ts';
import type { MessageArchive } from '../archive.ts';
import { chatOf, STORED_COLUMNS, type StoredMessage, senderOf, storedMessage } from '../stored-message.ts';
import { type DeviceDirectory, findMessages } from '../visible.ts';
import { saidOfPolls } from './said-of-polls.ts';

export interface Vote {
  voter: Identity;
  pushName: string | null;
  /** Milliseconds since the epoch. */
  at: number;
}

export interface PollOption {
  name: string;
  votes: Vote[];
}

export interface PollResult {
  poll: StoredMessage;
  question: string;
  /** How many a voter may choose; 0: as many as there are. */
  selectable: number;
  options: PollOption[];
  /** Those who have chosen something that we could read. */
  voters: number;
  /** Those whose latest vote could not be read. */
  unread: number;
}

export class PollResults {
  readonly #parts: { db: Kysely<Database>; archive: MessageArchive; devices: DeviceDirectory };

  constructor(parts: { db: Kysely<Database>; archive: MessageArchive; devices: DeviceDirectory }) {
    this.#parts = parts;
  }

  /** Throws MESSAGE_NOT_FOUND, and NOT_A_POLL for another kind of message. */
  async of(caller: Caller, name: MessageName): Promise<PollResult> {
    const copies = await findMessages(this.#parts, caller, name);
    const poll = copies.find(({ kind }) => kind === 'poll');
    const details =
      poll && (await this.#parts.archive.contents.details(poll.tenantId, [poll])).get(poll.rowId);
    if (!poll || !details) throw new AppError('NOT_A_POLL');
    const made = details as {
      name: string | null;
      options: (string | null)[];
      selectable_count: number | null;
    };
    const options = made.options.map((name): PollOption => ({ name: name ?? '', votes: [] }));
    const latest = latestOfEach(await this.#votes(poll));
    for (const { vote, voter } of latest) count(vote, voter, options);
    return {
      poll,
      question: made.name ?? '',
      selectable: made.selectable_count ?? 0,
      options,
      voters: latest.filter(({ vote }) => (vote.context.pollVote?.options ?? []).length > 0).length,
      unread: latest.filter(({ vote }) => !vote.context.pollVote?.options).length,
    };
  }

  /** In the order in which they were cast. */
  async #votes(poll: StoredMessage): Promise<StoredMessage[]> {
    const rows = await saidOfPolls(this.#parts.db, poll, 'poll_vote').select(STORED_COLUMNS).execute();
    return rows.map(storedMessage).filter((vote) => isVoteIn(poll, vote));
  }
}

/** Another member's poll may have the same id; a vote names the author of the one that it is cast in. */
function isVoteIn(poll: StoredMessage, vote: StoredMessage): boolean {
  const { targetSender } = vote.context;
  if (!sameIdentity(chatOf(vote), chatOf(poll))) return false;
  return !poll.isGroup || targetSender === null || !contradicts(identityOf(targetSender), senderOf(poll));
}

/** A vote replaces all that its voter chose before (WhatsApp's apps send the whole choice each time). */
function latestOfEach(votes: readonly StoredMessage[]): CastVote[] {
  const latest: CastVote[] = [];
  for (const vote of votes) {
    const voter = senderOf(vote);
    const earlier = latest.findIndex((each) => sameIdentity(each.voter, voter));
    if (earlier >= 0) latest.splice(earlier, 1);
    latest.push({ vote, voter });
  }
  return latest;
}

interface CastVote {
  vote: StoredMessage;
  voter: Identity;
}

function count({ context, pushName, timestamp: at }: StoredMessage, voter: Identity, options: PollOption[]) {
  for (const name of context.pollVote?.options ?? []) {
    options.find((option) => option.name === name)?.votes.push({ voter, pushName, at });
  }
}
