/** Lists that are given in pages. */
import { Type } from 'typebox';
import { refusing } from '../description/stated.ts';
import { Nullable } from '../schemas.ts';

/** `cursor` of a list. */
export const CursorText = Type.Optional(
  refusing(
    'what no page has given',
    Type.String({ maxLength: 200, description: '`next_cursor` of the page before' }),
  ),
);

/** `limit` and `cursor` of a list. */
export function pageQuery({ usual, most }: { usual: number; most: number }) {
  return {
    cursor: CursorText,
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: most, default: usual })),
  };
}

/** What every page says of the next one. */
export const nextPage = {
  next_cursor: Nullable(Type.String({ description: 'Pass it as `cursor` to go on; null at the end' })),
};
