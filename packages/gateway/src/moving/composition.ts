/** Moving in with a number that another program has linked. */
import type { Step } from '../steps.ts';
import { MovingIn, type MovingInParts } from './moving-in.ts';

export interface MovingRoom {
  movingIn: MovingIn;
  step: Step;
}

export function composeMoving(parts: MovingInParts): MovingRoom {
  const movingIn = new MovingIn(parts);
  return { movingIn, step: { name: 'moving in', stop: () => movingIn.stop() } };
}
