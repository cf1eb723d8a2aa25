import type { WireCodec, WireMessage } from '../../port/wire-message.ts';
import { proto } from '../library.ts';
import { decodeProtobuf } from './bounded-protobuf.ts';

/** waE2E.Message to bytes and back, by the protobuf code that the library ships. */
export const wireCodec: WireCodec = {
  encode: (message) => proto.Message.encode(proto.Message.fromObject(message)).finish(),
  decode: (bytes) => proto.Message.toObject(decodeProtobuf(proto.Message, bytes)) as WireMessage,
};
