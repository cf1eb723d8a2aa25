import type { JoinRequestMethod } from '../../port/group-joining.ts';
import type { BinaryNode } from '../library.ts';

/** WhatsApp Web WAWebRequestMethodType, as whatsapp-rust wacore stanza/groups.rs has it. */
const METHODS: ReadonlySet<string> = new Set<JoinRequestMethod>([
  'invite_link',
  'non_admin_add',
  'linked_group_join',
]);

/** How somebody came to ask to be in a group, by `request_method`. */
export function joinRequestMethod({ request_method = '' }: BinaryNode['attrs']): JoinRequestMethod {
  return METHODS.has(request_method) ? (request_method as JoinRequestMethod) : 'unknown';
}
