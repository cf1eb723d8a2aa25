import type { MessageKind, SealedUse } from '../../../port/content.ts';
import type { MediaDescriptor } from '../../../port/media.ts';
import type { proto } from '../../library.ts';

/** What is read of one message, without its envelopes. */
export interface Parsed {
  kind: MessageKind;
  text?: string | null | undefined;
  /** In the order in which they are shown. */
  files?: readonly MediaDescriptor[];
  context?: proto.IContextInfo | null | undefined;
  viewOnce?: boolean | null | undefined;
  targetId?: string | null | undefined;
  targetSender?: string | null | undefined;
  sealed?: SealedUse;
}
