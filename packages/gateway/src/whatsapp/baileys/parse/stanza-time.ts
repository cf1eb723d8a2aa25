import { systemClock } from '../../../clock.ts';
import { stampedTime } from './stamped-time.ts';

/** A `t` attribute (whole seconds) in milliseconds; the time of arrival when it is missing or no number. */
export function stampOf(t: string | undefined): number {
  return stampedTime(t) ?? systemClock.now();
}
