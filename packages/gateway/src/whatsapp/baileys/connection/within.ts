import { systemClock } from '../../../clock.ts';
/** What `work` comes to; undefined when it fails or takes longer than `ms`. */
export async function within<T>(ms: number, work: Promise<T> | undefined): Promise<T | undefined> {
  let cancel: () => void = () => undefined;
  const late = new Promise<undefined>((resolve) => {
    cancel = systemClock.after(ms, () => resolve(undefined));
  });
  const done = await Promise.race([work?.catch(() => undefined), late]);
  cancel();
  return done;
}
