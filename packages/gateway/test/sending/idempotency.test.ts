import { afterAll, describe, expect, it } from 'vitest';
import { fc } from '../../../sandbox/test/random.ts';
import { AppError } from '../../src/errors.ts';
import { Idempotency, requestHash } from '../../src/sending/idempotency.ts';
import { parseRecipient } from '../../src/sending/recipients.ts';
import { StorageFailure } from '../../src/storage/failure.ts';
import { ArchiveWorld } from '../messages/archive-world.ts';

const world = await ArchiveWorld.create();
const caller = await world.tenant();
afterAll(() => world.destroy());

/** As after a start of the process: nothing is remembered but what is in the database. */
const started = () => new Idempotency({ db: world.db, clock: world.clock });

describe('a process that dies while it sends', () => {
  it('leaves the message id behind, and the repeated request sends under it', async () => {
    const claimed = new Promise<void>((resolve) => {
      void started().run(caller, 'died', 'hash', async (attempt) => {
        expect(attempt.claimed).toBeNull();
        await attempt.claim({ messageId: '3EB0AAAA', deviceId: 'a', account: null });
        resolve();
        return new Promise(() => undefined);
      });
    });
    await claimed;
    const answer = await started().run(caller, 'died', 'hash', async (attempt) => ({
      status: 200,
      body: { id: attempt.claimed?.messageId ?? null },
    }));
    expect(answer).toEqual({ status: 200, body: { id: '3EB0AAAA' }, replayed: false });
    const again = await started().run(caller, 'died', 'hash', () => Promise.reject(new Error('never')));
    expect(again).toEqual({ status: 200, body: { id: '3EB0AAAA' }, replayed: true });
  });

  it('before anything left, leaves the request to be done anew', async () => {
    const begun = new Promise<void>((resolve) => {
      void started().run(caller, 'early', 'hash', () => {
        resolve();
        return new Promise(() => undefined);
      });
    });
    await begun;
    const answer = await started().run(caller, 'early', 'hash', async (attempt) => ({
      status: 200,
      body: { id: attempt.claimed?.messageId ?? null },
    }));
    expect(answer.body).toEqual({ id: null });
  });

  it('a twin shares the error of the first, and the key stays usable', async () => {
    const keys = started();
    const fails = () => keys.run(caller, 'error', 'hash', () => Promise.reject(new Error('no disk')));
    const results = await Promise.allSettled([fails(), fails()]);
    expect(results.map((each) => each.status)).toEqual(['rejected', 'rejected']);
    const answer = await keys.run(caller, 'error', 'hash', async () => ({ status: 200, body: {} }));
    expect(answer.replayed).toBe(false);
  });
});

describe('a key', () => {
  const once = (keys: Idempotency, key: string, hash = 'hash') =>
    keys.run(caller, key, hash, async () => ({ status: 200, body: {} }));

  it.each(['', ' a', 'a ', 'a\tb', 'é', 'x'.repeat(256)])('%j is none', async (key) => {
    await expect(once(started(), key)).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
  });

  it.each(['!', '~', 'a b', 'x'.repeat(255)])('%j is one', async (key) => {
    expect((await once(started(), key)).status).toBe(200);
  });

  it('lives for a day to the millisecond, and its row not much longer', async () => {
    const keys = started();
    await once(keys, 'old');
    const rows = () =>
      world.db.selectFrom('idempotency_keys').select('key').where('key', '=', 'old').execute();
    world.clock.advance(24 * 3600_000 - 1);
    expect((await once(keys, 'old')).replayed).toBe(true);
    world.clock.advance(1);
    await once(started(), 'another');
    expect(await rows()).toEqual([]);
    expect((await once(keys, 'old', 'another hash')).replayed).toBe(false);
  });

  it('that is a day old is forgotten also between two sweeps', async () => {
    const keys = started();
    await once(keys, 'aged');
    world.clock.advance(24 * 3600_000 - 1);
    // Sweeps, while the key still lives.
    await once(keys, 'the next');
    world.clock.advance(1);
    expect((await once(keys, 'aged', 'another hash')).replayed).toBe(false);
    expect((await once(keys, 'aged', 'another hash')).replayed).toBe(true);
  });

  it('is of one user, and of one request', async () => {
    const keys = started();
    await once(keys, 'mine');
    const others = [await world.user(caller.tenantId, 'user'), await world.tenant()];
    for (const other of others) {
      const answer = await keys.run(other, 'mine', 'other', async () => ({ status: 200, body: {} }));
      expect(answer.replayed).toBe(false);
    }
    // Also while they are under way.
    const ends = [caller, ...others].map((each, at) =>
      keys.run(each, 'at once', `${at}`, async () => ({ status: 200, body: { at } })),
    );
    const answers = (await Promise.all(ends)).map(({ body, replayed }) => [body.at, replayed]);
    expect(answers).toEqual([0, 1, 2].map((at) => [at, false]));
    await expect(once(keys, 'mine', 'other')).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
    await expect(once(started(), 'mine', 'other')).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
    expect((await once(started(), 'mine')).replayed).toBe(true);
  });

  it('runs once for twins, who share the answer, and for no other request meanwhile', async () => {
    const keys = started();
    let runs = 0;
    const send = (hash: string) =>
      keys.run(caller, 'twins', hash, async () => {
        runs += 1;
        return { status: 201, body: { run: runs } };
      });
    const [first, twin, other] = await Promise.allSettled([send('hash'), send('hash'), send('other')]);
    const answer = { status: 201, body: { run: 1 } };
    expect(first).toEqual({ status: 'fulfilled', value: { ...answer, replayed: false } });
    expect(twin).toEqual({ status: 'fulfilled', value: { ...answer, replayed: true } });
    expect(other).toMatchObject({ status: 'rejected', reason: { code: 'IDEMPOTENCY_CONFLICT' } });
    expect(runs).toBe(1);
  });

  it('is free again after a refusal before anything left, and resumed after anything else', async () => {
    const keys = started();
    const next = async (key: string, error: Error) => {
      await expect(keys.run(caller, key, 'hash', () => Promise.reject(error))).rejects.toBe(error);
      let resumed: boolean | null = null;
      await keys.run(caller, key, 'other', async (attempt) => {
        resumed = attempt.resumed;
        return { status: 200, body: {} };
      });
      return resumed;
    };
    expect(await next('a refusal', new AppError('NOT_ON_WHATSAPP'))).toBe(false);
    const conflict = { code: 'IDEMPOTENCY_CONFLICT' };
    const lost = new StorageFailure('full', new Error('no room'));
    for (const [key, error] of [
      ['a mistake', new Error('ours')],
      ['no disk', lost],
      ['no disk, told', new AppError('STORAGE_UNAVAILABLE', { cause: lost })],
    ] as const) {
      await expect(next(key, error)).rejects.toMatchObject(conflict);
    }
  });

  it('remembers what WhatsApp was asked to make, unless it has refused', async () => {
    const keys = started();
    const creation = { deviceId: 'a', account: null, since: 1, besides: ['b'], made: null };
    const attempts = async (key: string, refused: boolean) => {
      const tickets: string[] = [];
      const work = (end: () => Promise<never>) =>
        keys.run(caller, key, 'hash', async (attempt) => {
          tickets.push(attempt.ticket);
          await attempt.creating(creation);
          if (refused) await attempt.notMade();
          return end();
        });
      const failure = new AppError('WHATSAPP_ERROR');
      await expect(work(() => Promise.reject(failure))).rejects.toBe(failure);
      const { body } = await keys.run(caller, key, 'hash', async (attempt) => {
        tickets.push(attempt.ticket);
        const { creation: asked, claimed, resumed } = attempt;
        return { status: 200, body: { asked, claimed, resumed } };
      });
      return { body, same: tickets[0] === tickets[1] };
    };
    expect(await attempts('made', false)).toEqual({
      body: { asked: creation, claimed: null, resumed: true },
      same: true,
    });
    expect(await attempts('not made', true)).toEqual({
      body: { asked: null, claimed: null, resumed: false },
      same: false,
    });
  });

  it('keeps what was claimed, whatever error came then', async () => {
    const keys = started();
    const failing = (key: string, error: Error) =>
      keys.run(caller, key, 'hash', async (attempt) => {
        await attempt.claim({ messageId: '3EB0BBBB', deviceId: 'a', account: null });
        throw error;
      });
    const next = async (key: string) =>
      (await keys.run(caller, key, 'hash', async ({ claimed }) => ({ status: 200, body: { ...claimed } })))
        .body;
    await expect(failing('refused', new AppError('REJECTED_BY_WHATSAPP'))).rejects.toThrow();
    expect(await next('refused')).toMatchObject({ messageId: '3EB0BBBB' });
    await expect(failing('silent', new AppError('WHATSAPP_TIMEOUT'))).rejects.toThrow();
    expect(await next('silent')).toMatchObject({ messageId: '3EB0BBBB' });
  });
});

describe('the hash of a request', () => {
  const request = (body: unknown) => requestHash({ method: 'POST', path: '/send/text', device: null, body });

  it('does not depend on the order of members', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), (body) => {
        const reversed = Object.fromEntries(Object.entries(body).reverse());
        expect(request(reversed)).toBe(request(body));
      }),
    );
  });

  it('differs for different bodies', () => {
    const json = fc.jsonValue({ maxDepth: 3 });
    const canonical = (value: unknown): string =>
      JSON.stringify(value, (_, part: unknown) =>
        typeof part === 'object' && part !== null && !Array.isArray(part)
          ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
          : part,
      );
    fc.assert(
      fc.property(json, json, (a, b) => {
        expect(request(a) === request(b)).toBe(canonical(a) === canonical(b));
      }),
    );
    expect(request(['1'])).not.toBe(request([1]));
    expect(request(undefined)).toBe(request(null));
    expect(request({ a: 'b' })).not.toBe(request(['a', 'b']));
    expect(request(['a', 'b'])).not.toBe(request(['ab']));
    expect(request({ a: null })).not.toBe(request({}));
    expect(request({ a: 1 })).not.toBe(request({ a: 2 }));
    expect(request({ a: 1 })).not.toBe(request({ b: 1 }));
    expect(request(['a'])).not.toBe(request({ 0: 'a' }));
  });
});

it('bodies as deep as the edge reads are taken, deeper ones refused', () => {
  const nested = (levels: number, wrap: (inner: unknown) => unknown): unknown =>
    levels === 0 ? 1 : wrap(nested(levels - 1, wrap));
  const hash = (body: unknown) => requestHash({ method: 'POST', path: '/', device: null, body });
  for (const wrap of [(inner: unknown) => [inner], (inner: unknown) => ({ a: inner })]) {
    expect(hash(nested(65, wrap))).not.toBe(hash(nested(64, wrap)));
    expect(() => hash(nested(66, wrap))).toThrow('66 levels');
  }
});

it('every text is a recipient or INVALID_RECIPIENT', () => {
  const like = fc.oneof(
    fc.string(),
    fc.stringMatching(/^\+?[\d ()-]{0,20}$/),
    fc.stringMatching(/^[\d:_-]{0,25}@(s\.whatsapp\.net|c\.us|lid|g\.us|newsletter|broadcast)$/),
  );
  fc.assert(
    fc.property(like, (text) => {
      try {
        const address = parseRecipient(text, 'number');
        expect(address.kind === 'number' ? address.digits : address.jid).toMatch(/^\d/);
      } catch (error) {
        expect(error).toBeInstanceOf(AppError);
        expect((error as AppError).code).toBe('INVALID_RECIPIENT');
      }
    }),
  );
});
