import { AppError } from '../../errors.ts';
import { type Content, checkedRequired, withContext } from '../content.ts';

export interface PollInput {
  question: string;
  options: { option_name: string }[];
  /** True: voters may choose all; else one. */
  allow_multiple_answers?: boolean;
}

export const FEWEST_OPTIONS = 2;
export const MOST_OPTIONS = 12;
/** Bounds of the official apps' forms, in characters. */
export const LONGEST_QUESTION = 255;
export const LONGEST_OPTION = 100;

/** A poll. Single choice travels as version 3, several as the first, as official clients send them. */
export function pollContent(input: PollInput): Content {
  const question = checkedRequired('question', input.question, LONGEST_QUESTION);
  if (input.options.length < FEWEST_OPTIONS || input.options.length > MOST_OPTIONS) {
    throw invalidOptions('options', `Poll must have between ${FEWEST_OPTIONS} and ${MOST_OPTIONS} options`);
  }
  const names = input.options.map(({ option_name }, index) =>
    checkedRequired(`options.${index}.option_name`, option_name, LONGEST_OPTION),
  );
  names.forEach((name, index) => {
    // A vote names an option by its hash: two of one name could not be told apart.
    if (names.indexOf(name) !== index) {
      throw invalidOptions(`options.${index}.option_name`, `is the same as option ${names.indexOf(name)}`);
    }
  });
  const multiple = input.allow_multiple_answers ?? false;
  return {
    chatState: 'composing',
    compose: async ({ contextInfo }) => ({
      kind: 'poll',
      text: question,
      message: {
        [multiple ? 'pollCreationMessage' : 'pollCreationMessageV3']: {
          name: question,
          options: names.map((optionName) => ({ optionName })),
          // 0 is "as many as one likes" (Baileys Utils/messages.js).
          selectableOptionsCount: multiple ? 0 : 1,
          ...withContext(contextInfo),
        },
      },
      extraNodes: [{ tag: 'meta', attrs: { polltype: 'creation' } }],
      metadata: { options_count: names.length, multiple_choice: multiple },
    }),
  };
}

function invalidOptions(field: string, message: string): AppError {
  return new AppError('VALIDATION_ERROR', { message, validation: [{ field, message }] });
}
