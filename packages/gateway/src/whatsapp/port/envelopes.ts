/** Finding the content proper inside the envelopes that WhatsApp puts round some messages. */

/** Clients nest three or four (our own device's copy of a disappearing, captioned document); more is crafted. */
const DEEPEST = 8;

/** Says something about a message, and is not its content. */
const BESIDE_CONTENT = new Set([
  'messageContextInfo',
  'senderKeyDistributionMessage',
  'fastRatchetKeySenderKeyDistributionMessage',
]);

/** One message on the way from what was sent to its content. */
export interface Level<M extends object> {
  message: M;
  /** The member of the message before that it is in, and all that this says; null for the outermost. */
  envelope: { name: string; content: object } | null;
}

/**
 * A waE2E.Message and the messages inside of it, the outermost first; the last is the content proper. An envelope is
 * known by its shape: whatever member holds a whole message in `message` (FutureProofMessage, DeviceSentMessage,
 * CommentMessage), because WhatsApp adds one every few months, so that older clients can show what is inside.
 */
export function levels<M extends object>(message: M): [Level<M>, ...Level<M>[]] {
  const found: [Level<M>, ...Level<M>[]] = [{ message, envelope: null }];
  let inner = message;
  while (found.length <= DEEPEST) {
    const next = inside(inner);
    if (!next) break;
    found.push(next);
    inner = next.message;
  }
  return found;
}

/** The message inside of its envelopes. */
export function unwrapped<M extends object>(message: M): M {
  const all = levels(message);
  return all[all.length - 1]?.message ?? message;
}

/** The message with its content changed, in the envelopes that it has. */
export function withContent<M extends object>(message: M, change: (content: M) => M): M {
  const all = levels(message);
  let changed = change(unwrapped(message));
  for (let depth = all.length - 1; depth > 0; depth -= 1) {
    const { envelope } = all[depth] ?? {};
    const outer = all[depth - 1]?.message;
    if (envelope) changed = { ...outer, [envelope.name]: { ...envelope.content, message: changed } } as M;
  }
  return changed;
}

/** The members of a message that say something: keys of groups, secrets and times do not. */
export function contentMembers(message: object): string[] {
  return Object.entries(message).flatMap(([name, value]) =>
    value == null || BESIDE_CONTENT.has(name) ? [] : [name],
  );
}

function inside<M extends object>(message: M): Level<M> | null {
  for (const name of contentMembers(message)) {
    const content = (message as Record<string, unknown>)[name];
    if (!isPart(content)) continue;
    const inner = (content as { message?: unknown }).message;
    // The types say what a member holds; that it is a message, its shape does.
    if (isPart(inner)) return { message: inner as M, envelope: { name, content } };
  }
  return null;
}

function isPart(value: unknown): value is object {
  return (
    typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && !Array.isArray(value)
  );
}
