import type { BinaryNode } from 'baileys';
import { tellOfPatches } from '../accounts/account-changes.ts';
import { bytesOf, childNamed, childrenNamed, stanza } from '../wire/stanza.ts';
import { BAD_REQUEST, type IqHandler } from './answer.ts';

/**
 * `w:sync:app:state`: patches are taken, numbered and handed out; the account's other devices are told by
 * `server_sync` (Baileys chats.js resyncAppState, appPatch; whatsmeow appstate.go). A new account has none,
 * so a first sync is empty; one of much is a snapshot, where the client asks for it. A patch on an old version
 * is a conflict (409) in its collection, which then holds what the client has missed.
 */
const appState: IqHandler = ({ network, sender, iq }) => {
  const sync = childNamed(iq, 'sync');
  if (!sync) return { error: BAD_REQUEST };
  const { user } = sender.account;
  const changed: BinaryNode[] = [];
  const answers = childrenNamed(sync, 'collection').map((collection) => {
    const name = collection.attrs.name ?? '';
    const version = Number(collection.attrs.version ?? 0);
    const patch = bytesOf(childNamed(collection, 'patch'));
    if (patch) {
      const made = network.appState.append(user, name, version, patch);
      if (made === undefined) {
        return stanza('collection', { name, type: 'error' }, [
          stanza('error', { code: '409', text: 'conflict' }),
          ...patchNodes(network.appState.patchesAfter(user, name, version)),
        ]);
      }
      changed.push(stanza('collection', { name, version: String(made) }));
      return stanza('collection', { name, version: String(made) });
    }
    const refused = network.orders.collectionRefusal;
    if (refused !== null && sender.address.device !== 0) {
      const error = stanza('error', { code: String(refused), text: 'ordered' });
      return stanza('collection', { name, type: 'error' }, [error]);
    }
    const current = {
      name,
      version: String(network.appState.version(user, name)),
      has_more_patches: 'false',
    };
    const asked = version === 0 && collection.attrs.return_snapshot === 'true';
    const snapshot = asked ? network.appState.snapshot(user, name) : undefined;
    if (snapshot) return stanza('collection', current, [stanza('snapshot', {}, snapshot)]);
    return stanza('collection', current, patchNodes(network.appState.patchesAfter(user, name, version)));
  });
  return {
    content: [stanza('sync', {}, answers)],
    after: () => {
      if (changed.length > 0) tellOfPatches(network, sender.account, changed, sender);
    },
  };
};

function patchNodes(patches: readonly Uint8Array[]): BinaryNode[] {
  if (patches.length === 0) return [];
  return [
    stanza(
      'patches',
      {},
      patches.map((bytes) => stanza('patch', {}, bytes)),
    ),
  ];
}

export const appStateHandlers: ReadonlyArray<readonly [string, IqHandler]> = [['w:sync:app:state', appState]];
