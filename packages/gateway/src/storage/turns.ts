/** What is done to one thing is done one after the other; what is done to different things does not wait. */
export class Turns {
  /** The last of each name, while there is one. */
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs it after those of the same name that came before, however they ended. */
  async run<T>(name: string, action: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name) ?? Promise.resolve();
    const mine = before.then(action, action);
    const over = mine.catch(() => undefined);
    this.#last.set(name, over);
    try {
      return await mine;
    } finally {
      if (this.#last.get(name) === over) this.#last.delete(name);
    }
  }
}
