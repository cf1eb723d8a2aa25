/** Groups: what is known of them, and what is done to them. */
import type { SessionGroups } from '../../port/groups.ts';
import { groupChanges } from './group-changes.ts';
import { type GroupsParts, knownGroups } from './known-groups.ts';

export function groups(parts: GroupsParts): SessionGroups {
  return { ...knownGroups(parts), ...groupChanges(parts) };
}
