/** A reader of Server-Sent Events that takes one message after the other. */
export interface StreamedEvent {
  id: string;
  event: string;
  data: string;
}

export class EventStream {
  readonly status: number;
  readonly headers: Headers;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = '';

  private constructor(response: Response) {
    if (!response.body) throw new Error('the answer has no body');
    this.status = response.status;
    this.headers = response.headers;
    this.#reader = response.body.getReader();
  }

  static async open(url: string, headers: Record<string, string>): Promise<EventStream> {
    return new EventStream(await fetch(url, { headers }));
  }

  /** Resolves once the server has begun to listen for events. */
  async listening(): Promise<void> {
    const block = await this.#block();
    if (!block?.startsWith('retry:')) throw new Error(`began with ${block}`);
  }

  async next(): Promise<StreamedEvent> {
    for (;;) {
      const block = await this.#block();
      if (block === null) throw new Error('the stream has ended');
      if (!block.startsWith('id:')) continue;
      const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2)));
      return { id: fields.id ?? '', event: fields.event ?? '', data: fields.data ?? '' };
    }
  }

  /** Resolves with the next sign of life. */
  async beat(): Promise<void> {
    for (;;) {
      const block = await this.#block();
      if (block === null) throw new Error('the stream has ended');
      if (block.startsWith(':')) return;
    }
  }

  /** Resolves when the server ends the stream; rejects when it is cut off instead. */
  async ended(): Promise<void> {
    while ((await this.#block()) !== null);
  }

  close(): Promise<void> {
    return this.#reader.cancel();
  }

  async #block(): Promise<string | null> {
    for (;;) {
      const end = this.#text.indexOf('\n\n');
      if (end >= 0) {
        const block = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return block;
      }
      const { done, value } = await this.#reader.read();
      if (done) return null;
      this.#text += this.#decoder.decode(value, { stream: true });
    }
  }
}
