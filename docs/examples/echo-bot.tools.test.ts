import { expect, test } from 'vitest';
import { playEchoStory } from './echo-bot-story.ts';

test('the echo bot in Python answers with a quote, fetches files, and does not answer itself', async () => {
  await playEchoStory('python3', 'echo_bot.py');
  expect.hasAssertions();
});
