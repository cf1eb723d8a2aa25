import { expect, test } from 'vitest';
import { playEchoStory } from './echo-bot-story.ts';

test('the echo bot in TypeScript answers with a quote, fetches files, and does not answer itself', async () => {
  await playEchoStory(process.execPath, 'echo-bot.ts');
  expect.hasAssertions();
});
