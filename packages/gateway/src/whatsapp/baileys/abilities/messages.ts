/** Messages, sent until the server has them. */
import type { AccountLimit } from '../../port/account.ts';
import {
  KeysForged,
  KeysUnavailable,
  NothingLeft,
  SendRejected,
  SessionNotOpen,
  SessionTimeout,
} from '../../port/errors.ts';
import type { OutboundMessage, SendAck, SessionMessages } from '../../port/messages.ts';
import { STORIES } from '../../port/stories.ts';
import { accountLimit, REACH_OUT_REFUSED } from '../account/reach-out-lock.ts';
import type { Link } from '../connection/link.ts';
import { within } from '../connection/within.ts';
import {
  type BinaryNode,
  generateMessageIDV2,
  isJidGroup,
  isJidNewsletter,
  proto,
  type Socket,
} from '../library.ts';
import type { AckWaiter } from '../outbound/ack-waiter.ts';
import { announceDeparture, Departure } from '../outbound/departure.ts';
import { type DirectAddress, DirectAddresses, WRONG_ADDRESS } from '../outbound/direct-address.ts';
import type { GroupCache } from '../outbound/group-cache.ts';
import { newsletterStanza } from '../outbound/newsletter-stanza.ts';
import { askOwnPhone, sendRetryReceipt } from '../outbound/retry-receipt.ts';
import { showingContent } from '../outbound/stanza-kind.ts';
import { noteKeyHolders, type OutgoingStory, type SentStory, StoryRelay } from '../outbound/story-relay.ts';

/** A caller waits for this answer beside the ack's. */
const ASK_LIMIT_MS = 5_000;

export interface MessagesParts {
  link: Link;
  acks: AckWaiter;
  groups: GroupCache;
  /** How long a send waits for the server's ack, in milliseconds. */
  ackTimeoutMs: number;
  /** An ack did not come: the connection may be dead. */
  suspect(): void;
}

export function messages({ link, acks, groups, ackTimeoutMs, suspect }: MessagesParts): SessionMessages {
  const stories = new StoryRelay();
  const addresses = new DirectAddresses(link.clock);

  async function once(out: OutboundMessage): Promise<SendAck> {
    if (!link.isOpen) throw new NothingLeft(new SessionNotOpen());
    const post = isJidNewsletter(out.to) ? newsletterStanza(out) : null;
    const waiting = acks.wait(post?.attrs.id ?? out.id, ackTimeoutMs);
    let story: SentStory | null;
    try {
      story = await relay(link, out, async (socket) => {
        if (!post && out.to === STORIES) return stories.send(socket, storyOf(out));
        if (post) await publish(socket, post);
        else await leave(socket, groups, out, await addresses.of(socket, link.own(), out.to));
        return null;
      });
    } catch (error) {
      waiting.cancel();
      throw error;
    }
    try {
      const ack = await waiting.ack;
      return story === null ? ack : await published(link, story, ack);
    } catch (error) {
      if (error instanceof SessionTimeout) suspect();
      if (!(error instanceof SendRejected) || error.whatsappCode !== REACH_OUT_REFUSED) throw error;
      throw new SendRejected(error.whatsappCode, error.message, await askLimit(link));
    }
  }

  return {
    newId: () => generateMessageIDV2(link.creds.me?.id),

    async send(out) {
      try {
        return await once(out);
      } catch (error) {
        // What is refused has reached nobody.
        if (!(error instanceof SendRejected) || error.whatsappCode !== WRONG_ADDRESS) throw error;
        const another = link.ask((socket) => addresses.another(socket, link.own(), out.to));
        if (!(await another.catch(() => false))) throw error;
        return await once(out).catch((again: unknown) => {
          addresses.asBefore();
          throw again;
        });
      }
    },

    requestRetry: (request) =>
      link.ask(async (socket) => {
        await sendRetryReceipt(socket, request);
        askOwnPhone(socket, request.messageId, request.address).catch((error: unknown) =>
          link.warn('our own phone was not asked for the message', error),
        );
      }),
  };
}

/** Hands the message to the socket. Throws NothingLeft for whatever ended it before that. */
async function relay<T>(
  link: Link,
  out: OutboundMessage,
  leaves: (socket: Socket) => Promise<T>,
): Promise<T> {
  const departure = new Departure();
  const write = () => departure.during(() => link.ask(leaves));
  try {
    return await write().catch((error: unknown) => {
      // In a group the others have got our keys before; those without keys are known now, and left out.
      if (!(error instanceof KeysUnavailable) || !isJidGroup(out.to)) throw error;
      return write();
    });
  } catch (error) {
    const forged = error instanceof KeysUnavailable && departure.forged.size > 0;
    const reason = forged ? new KeysForged(error) : error;
    throw departure.callOff() ? new NothingLeft(reason) : reason;
  } finally {
    for (const [recipient, reason] of departure.unreached) {
      link.warnOf({ message_id: out.id, recipient, reason }, 'a message was not encrypted for a device');
    }
  }
}

/** Not encrypted: there is nothing to prepare. */
async function publish(socket: Socket, post: BinaryNode): Promise<void> {
  announceDeparture();
  await socket.sendNode(post);
}

async function leave(
  socket: Socket,
  groups: GroupCache,
  out: OutboundMessage,
  { to, attrs, nodes }: DirectAddress,
): Promise<void> {
  // A send to a group needs the member list; fetched once and kept until the server says that it changed.
  if (isJidGroup(out.to)) await groups.fetched(socket, out.to);
  await socket.relayMessage(to, showingContent(proto.Message.fromObject(out.message)), {
    messageId: out.id,
    additionalAttributes: {
      ...attrs,
      ...(out.editAttribute ? { edit: out.editAttribute } : {}),
    },
    additionalNodes: [...(out.extraNodes ?? []), ...nodes],
  });
}

function storyOf({ id, message, audience = [], editAttribute }: OutboundMessage): OutgoingStory {
  return { id, message: proto.Message.fromObject(message), audience, edit: editAttribute };
}

/** Where it cannot be kept who has the key now, they get it once more with the next story. */
async function published(link: Link, { handed, missed }: SentStory, ack: SendAck): Promise<SendAck> {
  await link
    .ask((socket) => noteKeyHolders(socket, handed))
    .catch((error: unknown) => link.warn('who has the key of our stories was not noted', error));
  return { ...ack, missed };
}

/** Whether the account is limited, or only the one contact is out of reach, the ack does not say. */
async function askLimit(link: Link): Promise<AccountLimit | null> {
  // What it answers is reported as well: the session hears of it as a connection update.
  const asked = link.ask((socket) => socket.fetchAccountReachoutTimelock());
  const lock = await within(ASK_LIMIT_MS, asked);
  return lock ? accountLimit(lock, link.clock.now()) : null;
}
