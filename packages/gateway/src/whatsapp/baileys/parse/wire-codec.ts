import { withContent } from '../../port/envelopes.ts';
import type { WireCodec, WireMessage } from '../../port/wire-message.ts';
import { proto } from '../library.ts';
import { cleanTexts } from './clean-text.ts';
import { parseContent } from './content-parser.ts';
import { decodeMessage } from './message-bytes.ts';
import { openedChange } from './opened-change.ts';

/** waE2E.Message to bytes and back, by the protobuf code that the library ships. */
export const wireCodec: WireCodec = {
  encode: (message) => proto.Message.encode(proto.Message.fromObject(message)).finish(),
  decode: (bytes) => {
    const message = decodeMessage(bytes);
    const known = proto.Message.toObject(message) as WireMessage;
    return message.later
      ? withContent<WireMessage>(known, (inner) => ({ ...inner, ...message.later }))
      : known;
  },
  content: (bytes) => cleanTexts(parseContent(decodeMessage(bytes))),
  openedChange,
};
