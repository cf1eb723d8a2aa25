/** The one way out of the engine: what a session tells and answers holds no text that may not be stored or told. */
import type { SessionReporter } from '../port/events.ts';
import type { SessionAbilities } from '../port/session.ts';
import { cleanTexts } from './parse/clean-text.ts';

/** Reports what is reported to it with its texts clean. */
export function cleanReports(report: SessionReporter): SessionReporter {
  return (event) => report(cleanTexts(event));
}

/** The abilities, of which every answer has its texts clean: names of groups, channels and people are strangers'. */
export function cleanAnswers(abilities: SessionAbilities): SessionAbilities {
  return Object.fromEntries(
    Object.entries(abilities).map(([name, ability]) => [name, answersOf(ability)]),
  ) as unknown as SessionAbilities;
}

/** Of an ability that is an object of functions; one that is more than that has no answers of strangers. */
function answersOf(ability: object): object {
  if (Object.getPrototypeOf(ability) !== Object.prototype) return ability;
  return Object.fromEntries(
    Object.entries(ability).map(([name, member]: [string, unknown]) => [
      name,
      typeof member === 'function' ? cleaned(member as (...given: unknown[]) => unknown, ability) : member,
    ]),
  );
}

function cleaned(ask: (...given: unknown[]) => unknown, ability: object): (...given: unknown[]) => unknown {
  return (...given) => {
    const answer = ask.apply(ability, given);
    return answer instanceof Promise ? answer.then(cleanTexts) : answer;
  };
}
