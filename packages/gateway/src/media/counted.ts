import { AppError } from '../errors.ts';
import type { MediaService } from './service.ts';

/** The same, telling `count` what each request came to: the answer's state or the error's code. */
export function counted(
  media: Pick<MediaService, 'resolve'>,
  count: (outcome: string) => void,
): Pick<MediaService, 'resolve'> {
  return {
    async resolve(caller, name, options) {
      try {
        const answer = await media.resolve(caller, name, options);
        count(answer.state);
        return answer;
      } catch (error) {
        count(error instanceof AppError ? error.code.toLowerCase() : 'internal_error');
        throw error;
      }
    },
  };
}
