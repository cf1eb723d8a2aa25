import { AccountChanges } from './account/account-changes.ts';
import { type AppStateKey, PhoneAppState } from './account/app-state.ts';
import { CompanionSync } from './account/history.ts';
import { Past } from './account/past.ts';
import { ProfileClient } from './account/profile.ts';
import { AddressBook } from './address-book.ts';
import { AssistantClient } from './assistant.ts';
import { CallClient } from './calls.ts';
import { ChannelClient } from './channels.ts';
import { type ChatTimer, ChatTimers } from './chat-timers.ts';
import { PhoneConnection } from './connection.ts';
import { GroupPast } from './group-past.ts';
import { GroupClient } from './groups.ts';
import { HostilePhone } from './hostile.ts';
import { Inbox } from './inbox.ts';
import { Companions, type KeptCompanions } from './linking/companions.ts';
import { DeviceSigner, type KeptSigner } from './linking/device-identity.ts';
import type { PhoneHost } from './linking/host.ts';
import { CompanionLinker } from './linking/link-companion.ts';
import { PairCodeLinking } from './linking/pair-code.ts';
import { PhonePasskey } from './linking/passkey-linking.ts';
import { MediaClient } from './media/media-client.ts';
import { MediaRetry } from './media/media-retry.ts';
import { PresencesSeen } from './presences.ts';
import { type ReceiptPolicy, Receipts } from './receipts.ts';
import { type PhoneIdentity, Sender } from './sending.ts';
import type { KeptSignal, SignalClient } from './signal.ts';
import { StoryClient } from './stories.ts';

/** Errors of a phone's own handling of stanzas. */
class Problems {
  readonly all: Error[] = [];

  take(error: unknown): void {
    this.all.push(error instanceof Error ? error : new Error(String(error)));
  }
}

/** What makes a phone the same one again. What was said on it is not kept. */
export interface KeptParts {
  readonly signal: KeptSignal;
  readonly signer: KeptSigner;
  readonly appStateKey: AppStateKey;
  readonly companions: KeptCompanions;
  readonly book: ReadonlyMap<string, string>;
  readonly timers: ReadonlyMap<string, ChatTimer>;
  readonly policy: ReceiptPolicy;
}

/** What a phone is made of. */
export interface PhoneParts {
  readonly connection: PhoneConnection;
  readonly signal: SignalClient;
  readonly book: AddressBook;
  readonly inbox: Inbox;
  readonly receipts: Receipts;
  readonly groups: GroupClient;
  readonly calls: CallClient;
  readonly channels: ChannelClient;
  readonly presences: PresencesSeen;
  readonly profile: ProfileClient;
  readonly sender: Sender;
  readonly media: MediaClient;
  readonly mediaRetry: MediaRetry;
  readonly companions: Companions;
  readonly hostile: HostilePhone;
  readonly linker: CompanionLinker;
  readonly byCode: PairCodeLinking;
  readonly passkey: PhonePasskey;
  readonly sync: CompanionSync;
  readonly account: AccountChanges;
  readonly stories: StoryClient;
  readonly assistant: AssistantClient;
  readonly groupPast: GroupPast;
  readonly past: Past;
  readonly timers: ChatTimers;
  /** What the phone answers to messages by itself. */
  readonly policy: ReceiptPolicy;
  readonly problems: Problems;
  kept(): KeptParts;
}

/** Puts a phone together, the one that was kept or a new one; it is not on the network yet. */
export function phoneParts(
  host: PhoneHost,
  self: PhoneIdentity,
  signal: SignalClient,
  kept?: KeptParts,
): PhoneParts {
  const problems = new Problems();
  const connection = new PhoneConnection(host.network, { user: self.number, device: 0 }, (error) =>
    problems.take(error),
  );
  const book = new AddressBook(connection);
  book.learn(self.jid, self.lid);
  for (const [number, lid] of kept?.book ?? []) book.learn(number, lid);
  const inbox = new Inbox();
  const receipts = new Receipts(connection, book);
  const groups = new GroupClient(connection, book);
  const calls = new CallClient(connection, book, self.lid);
  const channels = new ChannelClient(connection, inbox);
  const profile = new ProfileClient(connection, book);
  const presences = new PresencesSeen(book);
  const sender = new Sender(self, { connection, signal, book, groups, inbox });
  const media = new MediaClient(connection, host.cdn.caPem);
  const mediaRetry = new MediaRetry({ connection, media, inbox, book, cdn: host.cdn });
  const signer = new DeviceSigner(signal.identity, kept?.signer);
  const byCode = new PairCodeLinking(connection, signal.identity, self.jid);
  const appState = new PhoneAppState(connection, media, kept?.appStateKey);
  const account = new AccountChanges({ state: appState, connection, book, inbox });
  const passkey = new PhonePasskey();
  const linker = new CompanionLinker({
    host,
    user: self.number,
    signer,
    byCode,
    passkey,
    beforeLinking: () => account.nameOnce(self.name),
  });
  const past = new Past(self, { inbox, book });
  const timers = new ChatTimers(book);
  for (const [chat, timer] of kept?.timers ?? []) timers.set(chat, timer);
  const { rawId } = signer;
  const sync = new CompanionSync(self, { sender, inbox, book, media, appState, timers, past, rawId });
  const policy: ReceiptPolicy = { delivered: true, read: 'manual', ...kept?.policy };
  const companions = new Companions(self.number, { host, sync, online: () => connection.online }, (error) =>
    problems.take(error),
  );
  return {
    connection,
    signal,
    book,
    inbox,
    receipts,
    groups,
    calls,
    channels,
    presences,
    profile,
    sender,
    media,
    mediaRetry,
    companions,
    hostile: new HostilePhone(self, { host, connection, book, signal, sender, sync }),
    linker,
    byCode,
    passkey,
    sync,
    account,
    stories: new StoryClient({ sender, mediaRetry }),
    assistant: new AssistantClient(self, { host, book, sender, inbox, groups }),
    groupPast: new GroupPast({ sender, inbox, book, media, groups }),
    past,
    timers,
    policy,
    problems,
    kept: () => ({
      signal: signal.kept(),
      signer: signer.kept(),
      appStateKey: appState.key,
      companions: companions.kept(),
      book: book.kept(),
      timers: timers.kept(),
      policy,
    }),
  };
}
