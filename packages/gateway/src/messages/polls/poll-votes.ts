/** Poll votes: read when they come, or when their poll comes. */
import type { Transaction } from 'kysely';
import { sameIdentity } from '../../identity/jid.ts';
import type { MessageId, RecordId } from '../../ids.ts';
import { checkedTenant, sortedBy } from '../../storage/narrowing.ts';
import type { Database } from '../../storage/schema.ts';
import { SEALED } from '../../storage/sealed.ts';
import type { Vault } from '../../storage/vault.ts';
import type { Identity, Jid } from '../../whatsapp/port/identity.ts';
import type { InboundMessage } from '../../whatsapp/port/messages.ts';
import type { WireCodec } from '../../whatsapp/port/wire-message.ts';
import type { Sealed } from '../message-secrets.ts';
import {
  chatIdentity,
  contextJson,
  type MessageDevice,
  type PollVote,
  parseContext,
  STORED_COLUMNS,
  type StoredMessage,
  type StoredRow,
  senderIdentity,
  storedMessage,
} from '../stored-message.ts';
import {
  encryptedVote,
  namedOptions,
  openVote,
  type PollContent,
  pollContent,
  withOptions,
} from './poll-secrets.ts';
import { saidOfPolls } from './said-of-polls.ts';

type RowWithRaw = StoredRow & { raw: Uint8Array };

interface PollVotesParts {
  codec: WireCodec;
  vault: Pick<Vault, 'seal' | 'open'>;
  /** Opens what the archive keeps of a message. */
  unseal: (rowId: RecordId, sealed: Uint8Array) => Uint8Array;
}

/** Who votes, and in which poll. */
interface Voter {
  chat: Identity;
  sender: Identity;
  fromMe: boolean;
  content: { targetSender?: Jid | null };
}

const CLOSED: PollVote = { pollName: null, options: null, unknownOptions: 0 };

export class PollVotes {
  readonly #codec: WireCodec;
  readonly #vault: PollVotesParts['vault'];
  readonly #unseal: PollVotesParts['unseal'];

  constructor(parts: PollVotesParts) {
    this.#codec = parts.codec;
    this.#vault = parts.vault;
    this.#unseal = parts.unseal;
  }

  /** What a vote chose, as far as the polls that the device has tell. */
  async read(trx: Transaction<Database>, device: MessageDevice, message: InboundMessage): Promise<PollVote> {
    const vote = encryptedVote(this.#codec.decode(message.raw));
    const { targetId } = message.content;
    if (!vote || !targetId) return CLOSED;
    for (const poll of await this.#polls(trx, device, targetId)) {
      if (!sameIdentity(chatIdentity(poll), message.chat)) continue;
      const content = await this.#content(trx, poll);
      const read = content && openedVote(device, vote, message, { poll, content });
      if (read) return read;
    }
    return CLOSED;
  }

  /** Reads the votes that came before their poll `message`, which is stored by now; returns them. */
  async readEarlier(
    trx: Transaction<Database>,
    device: MessageDevice,
    message: InboundMessage,
  ): Promise<StoredMessage[]> {
    const [poll] = (await this.#polls(trx, device, message.id)).filter(
      (row) =>
        sameIdentity(chatIdentity(row), message.chat) && sameIdentity(senderIdentity(row), message.sender),
    );
    return poll ? this.#readAgain(trx, device, poll, (known) => !known?.options) : [];
  }

  /** Reads the votes that chose what the poll did not have until now; returns them. */
  async readWithOption(
    trx: Transaction<Database>,
    device: MessageDevice,
    poll: StoredRow,
  ): Promise<StoredMessage[]> {
    const read = await this.#readAgain(trx, device, poll, (known) => (known?.unknownOptions ?? 0) > 0);
    return read.filter(({ context }) => context.pollVote?.unknownOptions === 0);
  }

  async #readAgain(
    trx: Transaction<Database>,
    device: MessageDevice,
    poll: StoredRow,
    which: (known: PollVote | null) => boolean,
  ): Promise<StoredMessage[]> {
    const votes = await this.#votes(trx, device, poll.message_id);
    const content = votes.length > 0 ? await this.#content(trx, poll) : null;
    if (!content) return [];
    const read: StoredMessage[] = [];
    for (const row of votes) {
      const context = parseContext(row.context);
      if (!which(context.pollVote) || !sameIdentity(chatIdentity(row), chatIdentity(poll))) continue;
      const vote = encryptedVote(this.#codec.decode(this.#unseal(row.id, row.raw)));
      const voter = {
        chat: chatIdentity(row),
        sender: senderIdentity(row),
        fromMe: row.from_me === 1,
        content: { targetSender: context.targetSender },
      };
      const pollVote = vote && openedVote(device, vote, voter, { poll, content });
      if (!pollVote) continue;
      row.context = contextJson({ ...context, pollVote });
      await trx
        .updateTable('messages')
        .set({ context: row.context })
        .where('tenant_id', '=', device.tenantId)
        .where('id', '=', row.id)
        .execute();
      read.push(storedMessage(row));
    }
    return read;
  }

  /** What votes of a poll are read with: the options that it was made with, and those of its last edit. */
  async #content(trx: Transaction<Database>, poll: StoredRow): Promise<PollContent | null> {
    const made = await this.#contentAsMade(trx, poll);
    const edited = parseContext(poll.context).editedDetails?.options;
    if (!made || !Array.isArray(edited)) return made;
    return withOptions(
      made,
      edited.filter((name) => typeof name === 'string'),
    );
  }

  /** Made from its message once, because that may be of any size. */
  async #contentAsMade(trx: Transaction<Database>, poll: StoredRow): Promise<PollContent | null> {
    const kept = await trx
      .selectFrom('poll_options')
      .select('content')
      .where('message_row_id', '=', poll.id)
      .where(checkedTenant(poll.tenant_id))
      .executeTakeFirst();
    if (kept) return keptContent(this.#vault.open(kept.content, SEALED.poll.at({ message_row_id: poll.id })));
    const { raw } = await trx
      .selectFrom('messages')
      .select('raw')
      .where('tenant_id', '=', poll.tenant_id)
      .where('id', '=', poll.id)
      .executeTakeFirstOrThrow();
    const content = pollContent(this.#codec.decode(this.#unseal(poll.id, raw)));
    if (!content) return null;
    const sealed = this.#vault.seal(contentBytes(content), SEALED.poll.at({ message_row_id: poll.id }));
    await trx
      .insertInto('poll_options')
      .values({ message_row_id: poll.id, tenant_id: poll.tenant_id, content: sealed })
      .execute();
    return content;
  }

  #polls(trx: Transaction<Database>, device: MessageDevice, messageId: MessageId): Promise<StoredRow[]> {
    return trx
      .selectFrom('messages')
      .select(STORED_COLUMNS)
      .where(checkedTenant(device.tenantId))
      .where('device_id', '=', device.id)
      .where('message_id', '=', messageId)
      .where('kind', '=', 'poll')
      .orderBy(sortedBy('timestamp'))
      .orderBy(sortedBy('created_at'))
      .execute();
  }

  #votes(trx: Transaction<Database>, device: MessageDevice, pollId: string): Promise<RowWithRaw[]> {
    const asked = { tenantId: device.tenantId, deviceId: device.id, messageId: pollId };
    return saidOfPolls(trx, asked, 'poll_vote')
      .select([...STORED_COLUMNS, 'raw'])
      .execute();
  }
}

/** The row of a poll is another message now: what was made from the former one goes. */
export async function forgetPollOptions(trx: Transaction<Database>, rowId: RecordId): Promise<void> {
  await trx.deleteFrom('poll_options').where('message_row_id', '=', rowId).execute();
}

function openedVote(
  device: MessageDevice,
  vote: Sealed,
  voter: Voter,
  { poll, content }: { poll: StoredRow; content: PollContent },
): PollVote | null {
  const own = [device.jid, device.lid];
  // In a chat of two, the poll that is not ours is the other's, under the names we know by now.
  const others = poll.is_group === 0 ? [voter.chat.jid, voter.chat.lid] : [];
  const hashes = openVote(vote, {
    id: poll.message_id,
    secret: content.secret,
    authors: jids(
      voter.content.targetSender ?? null,
      poll.sender_lid,
      poll.sender_jid,
      ...(poll.from_me === 1 ? own : others),
    ),
    writers: jids(voter.sender.lid, voter.sender.jid, ...(voter.fromMe ? own : [])),
  });
  if (!hashes) return null;
  const { names, unknown } = namedOptions(content.options, hashes);
  return { pollName: content.name, options: names, unknownOptions: unknown };
}

function contentBytes({ secret, ...rest }: PollContent): Uint8Array {
  return Buffer.from(JSON.stringify({ ...rest, secret: Buffer.from(secret).toString('base64') }));
}

function keptContent(bytes: Uint8Array): PollContent {
  const kept = JSON.parse(Buffer.from(bytes).toString('utf8')) as Omit<PollContent, 'secret'> & {
    secret: string;
  };
  return { ...kept, secret: Buffer.from(kept.secret, 'base64') };
}

function jids(...names: (Jid | null)[]): Jid[] {
  return [...new Set(names.filter((name) => name !== null))];
}
