/** Poll votes: read when they come, or when their poll comes. */
import type { Transaction } from 'kysely';
import { sameIdentity } from '../identity/jid.ts';
import { checkedTenant, sortedBy } from '../storage/narrowing.ts';
import type { Database } from '../storage/schema.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import type { InboundMessage } from '../whatsapp/port/messages.ts';
import type { WireCodec } from '../whatsapp/port/wire-message.ts';
import { type EncryptedVote, encryptedVote, namedOptions, openVote, pollContent } from './poll-secrets.ts';
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
} from './stored-message.ts';

type RowWithRaw = StoredRow & { raw: Uint8Array };

const CLOSED: PollVote = { pollName: null, options: null, unknownOptions: 0 };

export class PollVotes {
  readonly #codec: WireCodec;
  readonly #unseal: (rowId: string, sealed: Uint8Array) => Uint8Array;

  /** `unseal` opens what the archive keeps of a message. */
  constructor(parts: { codec: WireCodec; unseal: (rowId: string, sealed: Uint8Array) => Uint8Array }) {
    this.#codec = parts.codec;
    this.#unseal = parts.unseal;
  }

  /** What a vote chose, as far as the polls that the device has tell. */
  async read(trx: Transaction<Database>, device: MessageDevice, message: InboundMessage): Promise<PollVote> {
    const vote = encryptedVote(this.#codec.decode(message.raw));
    const { targetId } = message.content;
    if (!vote || !targetId) return CLOSED;
    const polls = await this.#rows(trx, device, 'message_id', targetId, 'poll');
    for (const poll of polls) {
      if (!sameIdentity(chatIdentity(poll), message.chat)) continue;
      const read = this.#open(device, vote, message, poll);
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
    const votes = await this.#rows(trx, device, 'target_id', message.id, 'poll_vote');
    if (votes.length === 0) return [];
    const [poll] = (await this.#rows(trx, device, 'message_id', message.id, 'poll')).filter(
      (row) =>
        sameIdentity(chatIdentity(row), message.chat) && sameIdentity(senderIdentity(row), message.sender),
    );
    if (!poll) return [];
    const read: StoredMessage[] = [];
    for (const row of votes) {
      const context = parseContext(row.context);
      if (context.pollVote?.options || !sameIdentity(chatIdentity(row), message.chat)) continue;
      const vote = encryptedVote(this.#codec.decode(this.#unseal(row.id, row.raw)));
      const voter = {
        chat: chatIdentity(row),
        sender: senderIdentity(row),
        fromMe: row.from_me === 1,
        content: { targetSender: context.targetSender },
      };
      const pollVote = vote && this.#open(device, vote, voter, poll);
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

  #open(
    device: MessageDevice,
    vote: EncryptedVote,
    voter: {
      chat: Identity;
      sender: Identity;
      fromMe: boolean;
      content: { targetSender?: Jid | null };
    },
    poll: RowWithRaw,
  ): PollVote | null {
    const content = pollContent(this.#codec.decode(this.#unseal(poll.id, poll.raw)));
    if (!content) return null;
    const own = [device.jid, device.lid];
    // In a chat of two, the poll that is not ours is the other's, under the names we know by now.
    const others = poll.is_group === 0 ? [voter.chat.jid, voter.chat.lid] : [];
    const hashes = openVote(vote, {
      id: poll.message_id,
      secret: content.secret,
      creators: jids(
        voter.content.targetSender ?? null,
        poll.sender_lid,
        poll.sender_jid,
        ...(poll.from_me === 1 ? own : others),
      ),
      voters: jids(voter.sender.lid, voter.sender.jid, ...(voter.fromMe ? own : [])),
    });
    if (!hashes) return null;
    const { names, unknown } = namedOptions(content.options, hashes);
    return { pollName: content.name, options: names, unknownOptions: unknown };
  }

  async #rows(
    trx: Transaction<Database>,
    device: MessageDevice,
    column: 'message_id' | 'target_id',
    id: string,
    kind: 'poll' | 'poll_vote',
  ): Promise<RowWithRaw[]> {
    return trx
      .selectFrom('messages')
      .select([...STORED_COLUMNS, 'raw'])
      .where(checkedTenant(device.tenantId))
      .where('device_id', '=', device.id)
      .where(column, '=', id)
      .where('kind', '=', kind)
      .orderBy(sortedBy('timestamp'))
      .orderBy(sortedBy('created_at'))
      .execute();
  }
}

function jids(...names: (Jid | null)[]): Jid[] {
  return [...new Set(names.filter((name) => name !== null))];
}
