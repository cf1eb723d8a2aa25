/** What a run of the crash tests says at its end. */
import { Campaign, type CampaignOptions } from './campaign.ts';

const MOST_SHOWN = 40;

/** The arguments that have to be numbers; the process ends with 2 when one is not. */
export function numbersOf<N extends string>(
  values: Readonly<Record<N, string>>,
  names: readonly N[],
): Record<N, number> {
  const numbers = {} as Record<N, number>;
  for (const name of names) {
    numbers[name] = Number(values[name]);
    if (Number.isFinite(numbers[name]) && numbers[name] >= 0) continue;
    console.error(`--${name} takes a number`);
    process.exit(2);
  }
  return numbers;
}

/**
 * Runs a campaign and tells what came of it. The process then ends with 0 when no promise was broken, with 1
 * and a list of those that were, with 2 when the run itself failed.
 */
export async function runAndTell(remark: string, options: Omit<CampaignOptions, 'say'>): Promise<never> {
  const { seed } = options;
  console.log(`seed ${seed}${remark ? `, ${remark}` : ''}`);
  try {
    const { violations, figures } = await Campaign.run({ ...options, say: (line) => console.log(line) });
    for (const violation of violations.slice(0, MOST_SHOWN)) console.error(`✗ ${violation}`);
    if (violations.length > MOST_SHOWN) console.error(`… and ${violations.length - MOST_SHOWN} more`);
    for (const [name, value] of Object.entries(figures)) console.log(`${name}: ${value}`);
    process.exitCode = violations.length > 0 ? 1 : 0;
  } catch (error) {
    console.error(error);
    console.error(`the run itself failed; seed ${seed}`);
    process.exitCode = 2;
  }
  // Left to itself, Node 26.10 may spin for ever while it closes what is still open.
  process.exit();
}
