import type { BinaryNode } from 'baileys';
import { stanza } from './stanza.ts';

/** `<stream:error>` with a conflict or a code (whatsmeow connectionevents.go handleStreamError). */
export function streamErrorStanza(kind: 'replaced' | 'device_removed' | number): BinaryNode {
  if (kind === 'replaced') return stanza('stream:error', {}, [stanza('conflict', { type: 'replaced' })]);
  if (kind === 'device_removed') {
    return stanza('stream:error', { code: '401' }, [stanza('conflict', { type: 'device_removed' })]);
  }
  return stanza('stream:error', { code: String(kind) });
}

/** `<failure>`, the answer to a refused login (whatsmeow connectionevents.go handleConnectFailure). */
export function failureStanza(
  reason: number,
  more: Readonly<Partial<Record<string, string>>> = {},
): BinaryNode {
  return stanza('failure', { ...more, reason: String(reason), location: 'sbx' });
}
