/** Old stories: whom one was for is forgotten when nobody can have it any more. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../harness.ts';
import { HOUR_MS, LaterShop } from '../later-shop.ts';

let later: LaterShop;

beforeAll(async () => {
  later = await LaterShop.open();
});
afterAll(() => later.close());

async function post(text: string): Promise<string> {
  const answer = await later.api.post('/status/text', { text, audience: [later.contact.number] });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body.message_id;
}

/** The names that the database has for it. */
const audience = async (id: string): Promise<string[]> => {
  const { db } = later.world.gateway.parts;
  const { audience: kept } = await db
    .selectFrom('stories')
    .select('audience')
    .where('message_id', '=', id)
    .executeTakeFirstOrThrow();
  return JSON.parse(kept);
};

test('is kept for two days, so that it can be taken back', async () => {
  const early = await post('Early');
  later.clock.advance(47 * HOUR_MS);
  await later.untilConnected();
  const late = await post('Late');
  later.clock.advance(2 * HOUR_MS);
  await until('the early one is for nobody any more', async () => (await audience(early)).length === 0);
  expect(await audience(late)).toHaveLength(2);
  const { story } = (await later.api.get(`/stories/${early}`)).body;
  expect(story).toMatchObject({ state: 'posted', recipients: 2, reached: 2 });
  const { status, body } = await later.api.delete(`/stories/${early}`);
  expect([status, body.error_code]).toEqual([409, 'NOT_DELETABLE']);
  await later.untilConnected();
  expect((await later.api.delete(`/stories/${late}`)).status).toBe(200);
});
