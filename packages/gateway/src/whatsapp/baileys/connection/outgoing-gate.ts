import { systemClock } from '../../../clock.ts';
import { frameLeaves } from '../outbound/departure.ts';

/** What leaves on the socket, held until what it tells of is on the disk. */

/** The part of a `ws` WebSocket that matters here. */
export interface FrameSocket {
  readonly readyState: number;
  send(data: Uint8Array, done?: (error?: Error) => void): void;
  close(code?: number, reason?: string): void;
  once(event: 'close', listener: () => void): unknown;
  terminate(): void;
  /** The TCP stream beneath; `ws` calls it so, and null before the handshake. */
  readonly _socket?: { cork(): void; uncork(): void } | null;
}

const OPEN = 1;
/**
 * How long a close may take. `ws` gives the other side 30 s to answer it, and the library tells of the end
 * only after that; on a dead road no answer comes.
 */
const CLOSE_WITHIN_MS = 1_000;

/**
 * A receipt says "I have it", a message "my ratchet has moved": true only once the commit behind it is
 * durable. Waiting at each commit would hold up the next stanza, because the library decrypts one at a time;
 * so frames wait instead, in their order, and those of one moment go out in one write.
 *
 * `durable` resolves when every commit made before the call is durable. When it rejects, the connection is
 * cut: the server sends again what was not acknowledged.
 */
export function holdFrames(socket: FrameSocket, durable: () => Promise<void>): void {
  const send = socket.send.bind(socket);
  const close = socket.close.bind(socket);
  let held: Uint8Array[] = [];
  let flushing: Promise<void> | null = null;

  const flush = async (): Promise<void> => {
    try {
      while (held.length > 0) {
        // What the stanzas at hand cause belongs to this write too.
        await new Promise((resolve) => setImmediate(resolve));
        const frames = held;
        held = [];
        await durable();
        if (socket.readyState !== OPEN) return;
        socket._socket?.cork();
        for (const frame of frames) send(frame);
        socket._socket?.uncork();
      }
    } catch {
      socket.terminate();
    } finally {
      // In the same turn as the loop's last look: a frame that comes a moment later starts a new flush.
      flushing = null;
    }
  };

  socket.send = (data, done) => {
    if (socket.readyState !== OPEN) return send(data, done);
    frameLeaves();
    held.push(data);
    // The library would wait for the write before it takes the next stanza. A write that fails closes the
    // connection, and whoever waits for an answer hears of that.
    done?.();
    flushing ??= flush();
  };
  socket.close = (code, reason) => {
    const cancel = systemClock.after(CLOSE_WITHIN_MS, () => socket.terminate());
    socket.once('close', cancel);
    if (flushing) void flushing.then(() => close(code, reason));
    else close(code, reason);
  };
}
