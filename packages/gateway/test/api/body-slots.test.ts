/** Large bodies wait for each other, and no tenant waits for another one's. */
import { expect, test } from 'vitest';
import { BodySlots } from '../../src/api/request/body-slots.ts';

/** Takes a place and notes when it was given. */
function taker(slots: BodySlots) {
  const given: string[] = [];
  const leave: (() => void)[] = [];
  const take = (tenant: string) =>
    slots.take(tenant).then((done) => {
      given.push(tenant);
      leave.push(done);
    });
  return { given, leave, take };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('a tenant has two places, and another one its own', async () => {
  const { given, leave, take } = taker(new BodySlots());
  for (const tenant of ['a', 'a', 'a', 'a', 'b']) void take(tenant);
  await settled();
  expect(given).toEqual(['a', 'a', 'b']);
  leave[0]?.();
  leave[0]?.();
  await settled();
  expect(given).toEqual(['a', 'a', 'b', 'a']);
});

test('when all places are taken, tenants are served in turn', async () => {
  const { given, leave, take } = taker(new BodySlots());
  for (const tenant of ['a', 'b', 'c', 'd']) for (let times = 0; times < 4; times += 1) void take(tenant);
  void take('e');
  await settled();
  expect(given.sort()).toEqual(['a', 'a', 'b', 'b', 'c', 'c', 'd', 'd']);
  for (const done of leave.slice(0, 2)) done();
  await settled();
  expect(given.slice(8)).toContain('e');
});

test('too many that wait are refused', async () => {
  const { take } = taker(new BodySlots());
  for (let times = 0; times < 502; times += 1) void take('a');
  await settled();
  await expect(take('a')).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  await expect(Promise.race([take('b'), settled()])).resolves.toBeUndefined();
});
