/** Refusals of a part of a request, told by its place in the whole. */
import { AppError } from '../../errors.ts';

/** The same refusal, its fields named from the whole request. */
export function placedError(error: unknown, name: (field: string) => string): unknown {
  if (!(error instanceof AppError) || !error.detail.validation) return error;
  const validation = error.detail.validation.map((each) => ({ ...each, field: name(each.field) }));
  const first = validation[0];
  const message = first ? `${first.field}: ${first.message}` : error.message;
  return new AppError(error.code, { ...error.detail, message, validation });
}
