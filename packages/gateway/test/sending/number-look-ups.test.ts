/** Lists of numbers: how many questions, how fast, and what is kept. */
import { expect, test } from 'vitest';
import { ManualClock } from '../../src/clock.ts';
import { NumberLookUps } from '../../src/sending/number-look-ups.ts';
import { RequestRefused } from '../../src/whatsapp/port/errors.ts';
import { idleContacts, idleSession } from '../whatsapp/idle-session.ts';

const DEVICE = {
  id: 'd',
  tenantId: 't',
  userId: 'u',
  jid: '49301234567@s.whatsapp.net',
  lid: null,
};
/** German numbers have one spelling. */
const numbers = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => `4930${1_000_000 + from + index}`);

function lookUps(answer: (asked: readonly string[]) => void = () => undefined) {
  const clock = new ManualClock();
  const questions: (readonly string[])[] = [];
  const session = idleSession({
    contacts: {
      ...idleContacts,
      lookUpNumbers: async (asked) => {
        answer(asked);
        questions.push(asked);
        return asked.map((number) => ({
          number,
          exists: number.endsWith('7'),
          jid: `${number}@s.whatsapp.net`,
          lid: null,
        }));
      },
    },
  });
  const made = new NumberLookUps({ clock, chats: { storedChat: async () => null } });
  const many = (list: string[], maxAgeMs?: number) => made.many(() => session, DEVICE, list, maxAgeMs);
  return { clock, questions, made, many, session, asked: () => questions.map(({ length }) => length) };
}

/** Lets everything run that waits for no time. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('a list is asked for in portions, with a pause between, and other lists wait for their turn', async () => {
  const { clock, many, asked } = lookUps();
  const first = many(numbers(450));
  const second = many(numbers(100, 400));
  await settled();
  expect(asked()).toEqual([200]);
  clock.advance(299);
  await settled();
  expect(asked()).toEqual([200]);
  clock.advance(1);
  await settled();
  expect(asked()).toEqual([200, 200]);
  clock.advance(300);
  expect((await first).size).toBe(450);
  // Half of it was in the first list.
  expect((await second).size).toBe(100);
  expect(asked()).toEqual([200, 200, 50, 50]);
});

test('one number does not wait for lists', async () => {
  const { many, made, session, questions } = lookUps();
  const list = many(numbers(201));
  await settled();
  expect(await made.one(session, DEVICE, '49309999997')).toMatchObject({ exists: true });
  expect(questions.at(-1)).toEqual(['49309999997']);
  list.catch(() => undefined);
});

test('a number that nobody has is asked for again after a minute, one that is there after a day', async () => {
  const { clock, many, questions } = lookUps();
  const list = ['49301000007', '49301000008'];
  await many(list);
  clock.advance(59_999);
  await many(list);
  expect(questions).toHaveLength(1);
  clock.advance(1);
  await many(list);
  expect(questions.at(-1)).toEqual(['49301000008']);
  clock.advance(24 * 3600_000 - 60_000);
  await many(list);
  expect(questions.at(-1)).toEqual(list);
  await many(list, 0);
  expect(questions).toHaveLength(4);
});

test('what was answered before a refusal is not asked for again', async () => {
  let refuse = true;
  const { clock, many, asked, questions } = lookUps((list) => {
    if (refuse && list.length < 200) throw new RequestRefused(429, 'rate-overlimit');
  });
  const failing = expect(many(numbers(250))).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  await settled();
  clock.advance(300);
  await failing;
  refuse = false;
  // Those that nobody has are asked for again after a minute all the same: it has not passed.
  expect((await many(numbers(250))).size).toBe(250);
  expect(asked()).toEqual([200, 50]);
  expect(questions.at(-1)?.[0]).toBe(numbers(250)[200]);
});

test('a device that has too much to look up says so', async () => {
  const { many } = lookUps();
  const first = many(numbers(9_500));
  await expect(many(numbers(501, 20_000))).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  first.catch(() => undefined);
});
