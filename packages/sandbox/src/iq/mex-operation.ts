/** What an operation of GraphQL is, and reading its variables: what is not of the type counts as empty. */
import type { IqRequest } from './answer.ts';

export type Json = { readonly [name: string]: unknown };

/** Why an operation is not done: the `error_code` and `message` of a GraphQL error. */
export interface Refusal {
  readonly refused: { readonly code: number; readonly text: string };
}

/** A GraphQL query of `w:mex`. */
export interface Operation {
  /** The member of `data` that the answer is in. */
  readonly path: string;
  /** Null when there is nothing by the name that was asked for. */
  run(request: IqRequest, variables: Json): object | Refusal | null;
}

export function isRefusal(result: object): result is Refusal {
  return 'refused' in result;
}

export function objectIn(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

export function textIn(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
