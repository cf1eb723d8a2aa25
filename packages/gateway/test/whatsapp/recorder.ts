import { StorageFailure } from '../../src/storage/failure.ts';
import type { SessionEvent } from '../../src/whatsapp/port/events.ts';
import type { InboundMessage } from '../../src/whatsapp/port/messages.ts';
import type {
  CallEventName,
  CallNotice,
  NoticeName,
  SessionNotice,
} from '../../src/whatsapp/port/notices.ts';

/** The notice of one name; calls share one shape for all their names. */
type NoticeNamed<N extends NoticeName> = N extends CallEventName
  ? { name: N } & CallNotice
  : Extract<SessionNotice, { name: N }>;

/** Collects a session's events and lets a test wait for one. */
export class Recorder {
  readonly events: SessionEvent[] = [];
  /** Ids of all messages so far that could be read. */
  readonly received = new Set<string>();
  /** Set to make the archive refuse. */
  refuse: ((event: SessionEvent) => boolean) | null = null;
  /** What it refuses with. */
  refusal: Error = new StorageFailure('full', new Error('the disk is full'));
  /** Resolves when something was refused. */
  readonly refused: Promise<void>;
  #onRefused: () => void = () => undefined;
  #waiting: (() => void)[] = [];

  constructor() {
    this.refused = new Promise((resolve) => {
      this.#onRefused = resolve;
    });
  }

  report = async (event: SessionEvent): Promise<void> => {
    if (this.refuse?.(event)) {
      this.#onRefused();
      throw this.refusal;
    }
    if (event.type === 'message' && event.message.content.kind !== 'undecryptable') {
      this.received.add(event.message.id);
    }
    this.events.push(event);
    for (const wake of this.#waiting.splice(0)) wake();
  };

  async next<T extends SessionEvent['type']>(
    type: T,
    matches: (event: Extract<SessionEvent, { type: T }>) => boolean = () => true,
  ): Promise<Extract<SessionEvent, { type: T }>> {
    for (;;) {
      const found = this.events.find(
        (event): event is Extract<SessionEvent, { type: T }> =>
          event.type === type && matches(event as Extract<SessionEvent, { type: T }>),
      );
      if (found) {
        this.events.splice(this.events.indexOf(found), 1);
        return found;
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  message = async (id: string): Promise<InboundMessage> =>
    (await this.next('message', (event) => event.message.id === id)).message;

  /** The next notice of that name, and with those members. */
  notice = async <N extends NoticeName>(
    name: N,
    matches: (notice: NoticeNamed<N>) => boolean = () => true,
  ): Promise<NoticeNamed<N>> => {
    const { notice } = await this.next(
      'notice',
      (event) => event.notice.name === name && matches(event.notice as NoticeNamed<N>),
    );
    return notice as NoticeNamed<N>;
  };
}
