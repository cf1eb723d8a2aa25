/** What the type tests say. `npm run check:types` checks them: a claim that does not hold does not compile. */

/** A list of claims, each of which has to be `true`. */
export type Claims<T extends readonly true[]> = T;

/** The same type, not only one that fits. */
export type Is<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** A value of `A` may stand where a `B` is asked for. */
export type Fits<A, B> = [A] extends [B] ? true : false;

/** It may not. */
export type Refused<A, B> = [A] extends [B] ? false : true;
