/** How long a test waits for what has to happen: it ends a wait in vain, on the slowest machine. */
const PATIENCE_MS = 60_000;

/** Asks again until the answer is yes; for states that tell nobody when they are reached. Rejects after a minute. */
export async function until<T>(
  what: string,
  ask: () => T | false | null | undefined | Promise<T | false | null | undefined>,
): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() > deadline) throw new Error(`timed out waiting until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
