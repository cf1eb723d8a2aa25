/**
 * An option that a member adds to a poll (waE2E.PollAddOptionMessage, WAWebProtobufsE2E.proto), which the library's
 * schema does not have: read field by field.
 */
import { proto } from '../../library.ts';
import { decodeProtobuf } from '../bounded-protobuf.ts';
import { delimitedField } from '../protobuf-fields.ts';

export interface AddedPollOption {
  /** Its name. */
  text: string;
  targetId: string | null;
  targetSender: string | null;
}

/** `pollAddOptionMessage` of waE2E.Message. */
const POLL_ADD_OPTION = 121;
const POLL_KEY = 1;
const OPTION = 2;

/** Null when the message is none. Throws UnreadableProtobuf. */
export function addedPollOption(bytes: Uint8Array): AddedPollOption | null {
  const added = delimitedField(bytes, POLL_ADD_OPTION);
  const [key, option] = [POLL_KEY, OPTION].map((number) => added && delimitedField(added, number));
  if (!key || !option) return null;
  const { id, participant } = decodeProtobuf(proto.MessageKey, key);
  const { optionName } = decodeProtobuf(proto.Message.PollCreationMessage.Option, option);
  return optionName ? { text: optionName, targetId: id ?? null, targetSender: participant ?? null } : null;
}
