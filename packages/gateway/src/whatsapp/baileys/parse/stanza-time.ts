import { systemClock } from '../../../clock.ts';

/** A `t` attribute (whole seconds) in milliseconds; the time of arrival when it is missing or no number. */
export function stampOf(t: string | undefined): number {
  const seconds = Number(t);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : systemClock.now();
}
