/** Moving in with a number that another program has linked. */
import { MovingIn, type MovingInParts } from './moving-in.ts';

export interface MovingRoom {
  movingIn: MovingIn;
}

export function composeMoving(parts: MovingInParts): MovingRoom {
  return { movingIn: new MovingIn(parts) };
}
