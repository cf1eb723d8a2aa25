import { levels } from '../../port/envelopes.ts';
import type { proto } from '../library.ts';

/**
 * A request to our own phone as whatsmeow sends it (send.go sendPeerMessage): bare. The library wraps it as if it were
 * a copy of a message that this device has sent to somebody (messages-send.js `relayMessage`).
 */
export function bareForOwnPhone(message: proto.IMessage): proto.IMessage {
  const [, sent] = levels(message);
  if (sent?.envelope?.name !== 'deviceSentMessage') return message;
  const { peerDataOperationRequestMessage, appStateSyncKeyRequest } = sent.message.protocolMessage ?? {};
  return peerDataOperationRequestMessage || appStateSyncKeyRequest ? sent.message : message;
}
