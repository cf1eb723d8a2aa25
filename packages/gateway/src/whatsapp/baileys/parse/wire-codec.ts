import type { WireCodec, WireMessage } from '../../port/wire-message.ts';
import { proto } from '../library.ts';
import { cleanTexts } from './clean-text.ts';
import { parseContent } from './content-parser.ts';
import { decodeMessage } from './message-bytes.ts';
import { openedChange } from './opened-change.ts';

/** waE2E.Message to bytes and back, by the protobuf code that the library ships. */
export const wireCodec: WireCodec = {
  encode: (message) => proto.Message.encode(proto.Message.fromObject(message)).finish(),
  decode: (bytes) => proto.Message.toObject(decodeMessage(bytes)) as WireMessage,
  content: (bytes) => cleanTexts(parseContent(decodeMessage(bytes))),
  openedChange,
};
