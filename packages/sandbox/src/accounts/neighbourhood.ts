import type { Delivery } from '../delivery/delivery.ts';
import type { Groups } from '../groups/groups.ts';
import type { Account, Directory } from '../state/directory.ts';

/** What telling those around an account needs. */
export interface Neighbourhood {
  readonly directory: Directory;
  readonly groups: Groups;
  readonly delivery: Delivery;
}

/** Who wrote to the account or shares a group with it; the real server goes by address books. */
export function acquaintances(network: Neighbourhood, account: Account): Set<Account> {
  const found = new Set<Account>();
  for (const user of account.contacts) {
    const contact = network.directory.byUser(user);
    if (contact) found.add(contact);
  }
  for (const group of network.groups.of(account)) {
    for (const { account: member } of group.participants.values()) found.add(member);
  }
  found.delete(account);
  return found;
}
