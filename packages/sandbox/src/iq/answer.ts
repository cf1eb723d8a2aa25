import type { BinaryNode } from 'baileys';
import type { NetworkServices } from '../services.ts';
import type { RegisteredDevice } from '../state/directory.ts';

/** A question of a device. */
export interface IqRequest {
  readonly network: NetworkServices;
  readonly sender: RegisteredDevice;
  readonly iq: BinaryNode;
}

/** The answer: children of the result, an error, and what happens after it was sent. */
export interface IqAnswer {
  readonly content?: BinaryNode[];
  readonly error?: { readonly code: number; readonly text: string };
  after?(): void;
}

export type IqHandler = (request: IqRequest) => IqAnswer;

/** Errors as the server words them. */
export const BAD_REQUEST = { code: 400, text: 'bad-request' } as const;
export const NOT_AUTHORIZED = { code: 401, text: 'not-authorized' } as const;
export const FORBIDDEN = { code: 403, text: 'forbidden' } as const;
export const NOT_FOUND = { code: 404, text: 'item-not-found' } as const;
export const NOT_ACCEPTABLE = { code: 406, text: 'not-acceptable' } as const;
export const CONFLICT = { code: 409, text: 'conflict' } as const;
export const GONE = { code: 410, text: 'gone' } as const;
export const RESOURCE_LIMIT = { code: 419, text: 'resource-limit' } as const;
export const NOT_IMPLEMENTED = { code: 501, text: 'feature-not-implemented' } as const;

/** `error` of a participant in an answer: the number is not on WhatsApp. */
export const UNKNOWN_NUMBER = '404';
