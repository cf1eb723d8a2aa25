import type { SealedRetryAnswer } from '../../port/media.ts';
import { type BinaryNode, getBinaryNodeChild, getBinaryNodeChildBuffer } from '../library.ts';

/**
 * The phone's answer to a re-upload request: `<notification type="mediaretry" id=…>` with `<rmr>` naming the
 * message and either `<encrypt><enc_p/><enc_iv/></encrypt>` or `<error code/>` (whatsmeow
 * `parseMediaRetryNotification`). Null when it is malformed.
 */
export function sealedRetryAnswer(stanza: BinaryNode): SealedRetryAnswer | null {
  const messageId = stanza.attrs.id;
  const rmr = getBinaryNodeChild(stanza, 'rmr');
  const chat = rmr?.attrs.jid;
  if (!messageId || !rmr || !chat) return null;
  const encrypt = getBinaryNodeChild(stanza, 'encrypt');
  const ciphertext = getBinaryNodeChildBuffer(encrypt, 'enc_p');
  const iv = getBinaryNodeChildBuffer(encrypt, 'enc_iv');
  const code = getBinaryNodeChild(stanza, 'error')?.attrs.code;
  return {
    messageId,
    chat,
    fromMe: rmr.attrs.from_me === 'true',
    participant: rmr.attrs.participant ?? null,
    encrypted: ciphertext && iv ? { ciphertext, iv } : null,
    errorCode: code === undefined ? null : Number(code),
  };
}
