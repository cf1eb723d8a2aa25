import { afterAll, beforeAll, expect, test } from 'vitest';
import { World } from '../end-to-end/harness.ts';

let world: World;
beforeAll(async () => {
  world = await World.create();
});
afterAll(() => world?.destroy());

test('eighty new users at once stop no writes of another tenant, and most are told to wait', async () => {
  const many = world.as(await world.tenant('many'));
  const other = world.as(await world.tenant('other'));
  let made = 0;
  const user = (email: string) =>
    many.post('/users', { email, password: 'correct horse battery', role: 'user' }).then((answer) => {
      if (answer.status === 201) made += 1;
      return answer;
    });
  const attack = Array.from({ length: 80 }, (_, index) => user(`user-${index}@many.example`));
  const first = await Promise.race(attack);
  // The address is looked for before anything else, also while no further password is taken.
  expect((await user('ADMIN@many.example')).body.error_code).toBe('ALREADY_EXISTS');
  expect((await other.post('/devices', { name: 'bystander' })).status).toBe(201);
  // Not behind the ten that wait.
  expect(made).toBeLessThan(10);
  const answers = [first, ...(await Promise.all(attack))];
  const refused = answers.filter(({ status }) => status !== 201);
  expect(refused.length).toBeGreaterThan(40);
  for (const { status, body, headers } of refused) {
    expect([status, body.error_code]).toEqual([429, 'QUOTA_EXCEEDED']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  }
  // One under way and ten that wait; a late one may find that the first is done.
  expect(made).toBeGreaterThanOrEqual(11);
});
