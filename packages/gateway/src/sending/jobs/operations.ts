/** What can be sent later: every operation that sends a message, by the kind that it makes. */
import type { Caller } from '../../tenancy/caller.ts';
import type { AlbumItem } from '../content/album.ts';
import type { Content } from '../content.ts';
import type { SendRequest } from '../pipeline.ts';

/** As `read` gives it: what the worker adds is left out. */
export type CommonRequest = Omit<SendRequest, 'content' | 'deviceId' | 'attempt' | 'signal' | 'unpaced'>;
/** One message, or an album. */
export type ReadRequest = CommonRequest & ({ content: Content } | { items: readonly AlbumItem[] });

export interface SendOperation {
  /** The path, after `/send/` where it begins so: `text`, `text/mentions`, `image`, `payment/request`. */
  kind: string;
  /** Where in a checked body files stand that may be kept beside it: `image`, `media.3.base64`. */
  files(body: Record<string, unknown>): string[];
  /** Members that take a file as base64, at any depth. */
  fileMembers: readonly string[];
  /** The body, or VALIDATION_ERROR unless it fits the operation's schema. */
  checked(body: object): Record<string, unknown>;
  /** What of a checked body does less than it says. */
  warnings(body: Record<string, unknown>): { field: string; message: string }[];
  /** Throws VALIDATION_ERROR, INVALID_RECIPIENT and the like for a body that fits the schema but makes no sense. */
  read(body: Record<string, unknown>): ReadRequest;
  /** Sends what is for no single recipient, in place of the pipeline. */
  post?: (caller: Caller, body: Record<string, unknown>, how: PostedHow) => Promise<{ messageId: string }>;
}

/** What the worker says of a job that it sends. */
export type PostedHow = Pick<SendRequest, 'deviceId' | 'account' | 'attempt' | 'signal'>;

/** The edge registers its operations; the worker finds them by name. */
export class SendOperations {
  readonly #byKind = new Map<string, SendOperation>();

  readonly #fileMembers = new Set<string>();

  register(operation: SendOperation): void {
    for (const member of operation.fileMembers) this.#fileMembers.add(member);
    this.#byKind.set(operation.kind, operation);
  }

  find(kind: string): SendOperation | null {
    return this.#byKind.get(kind) ?? null;
  }

  /** Of all of them. */
  get fileMembers(): ReadonlySet<string> {
    return this.#fileMembers;
  }

  get kinds(): string[] {
    return [...this.#byKind.keys()];
  }
}
