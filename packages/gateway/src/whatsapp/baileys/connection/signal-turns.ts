import { AsyncLocalStorage } from 'node:async_hooks';
import {
  isLidUser,
  jidDecode,
  type SignalKeyStoreWithTransaction,
  type SignalRepositoryWithLIDStore,
} from '../library.ts';

/**
 * Each operation on a ratchet is alone with its peer and a commit of its own, which is there when the
 * operation resolves.
 *
 * The library encrypts inside the transaction of the whole send (messages-send.js `relayMessage`), which
 * holds what it read of a session until it commits. A message that is decrypted meanwhile, in a transaction
 * under another name, starts from the same record, and the later commit undoes the earlier: the ratchet goes
 * back and a counter is used twice. Its locks are by JID besides, while one session is reached under a phone
 * number and under a LID.
 */
export function inTurn(
  repository: SignalRepositoryWithLIDStore,
  keys: Pick<SignalKeyStoreWithTransaction, 'get'>,
): SignalRepositoryWithLIDStore {
  // Made with the socket, where no transaction is open: what runs in here joins none.
  const outside = AsyncLocalStorage.snapshot();
  const { lidMapping } = repository;
  const storeNames = lidMapping.storeLIDPNMappings.bind(lidMapping);
  // What a send learns of names, and the sessions that move with it, is there when it encrypts.
  lidMapping.storeLIDPNMappings = (pairs) => outside(() => storeNames(pairs));
  const turns = new Turns();
  const group = <T>(jid: string, work: () => Promise<T>): Promise<T> =>
    outside(() => turns.take(`group ${jid}`, work));
  const person = <T>(jid: string, work: () => Promise<T>): Promise<T> =>
    outside(async () => turns.take(await personOf(jid, keys), work));
  return {
    ...repository,
    encryptMessage: (opts) => person(opts.jid, () => repository.encryptMessage(opts)),
    decryptMessage: (opts) => person(opts.jid, () => repository.decryptMessage(opts)),
    injectE2ESession: (opts) => person(opts.jid, () => repository.injectE2ESession(opts)),
    migrateSession: (from, to) => person(to, () => repository.migrateSession(from, to)),
    deleteSession: async (jids) => {
      await Promise.all(jids.map((jid) => person(jid, () => repository.deleteSession([jid]))));
    },
    encryptGroupMessage: (opts) => group(opts.group, () => repository.encryptGroupMessage(opts)),
    decryptGroupMessage: (opts) => group(opts.group, () => repository.decryptGroupMessage(opts)),
    getSenderKeyDistributionMessage: (opts) =>
      group(opts.group, () => repository.getSenderKeyDistributionMessage(opts)),
    processSenderKeyDistributionMessage: (opts) =>
      group(opts.item.groupId ?? '', () => repository.processSenderKeyDistributionMessage(opts)),
    // An open transaction remembers that there was no session, also when one was made since.
    validateSession: (jid) => outside(() => repository.validateSession(jid)),
    getSessionInfo: (jid) => outside(() => repository.getSessionInfo(jid)),
    hasSenderKey: (opts) => outside(() => repository.hasSenderKey(opts)),
  };
}

/** The one name of a person whose sessions are kept under the LID once it is known (libsignal.js). */
async function personOf(jid: string, keys: Pick<SignalKeyStoreWithTransaction, 'get'>): Promise<string> {
  const user = jidDecode(jid)?.user ?? jid;
  if (isLidUser(jid) || jid.endsWith('@hosted.lid')) return `lid ${user}`;
  const { [user]: lid } = await keys.get('lid-mapping', [user]);
  return typeof lid === 'string' ? `lid ${lid}` : `number ${user}`;
}

/** Work under one name is done one after the other, in the order of asking. */
class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  async take<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name);
    const mine = before ? before.then(work, work) : work();
    this.#last.set(name, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(name) === mine) this.#last.delete(name);
    }
  }
}
