/** What `work` comes to; undefined when it fails or takes longer than `ms`. */
export async function within<T>(ms: number, work: Promise<T> | undefined): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  const done = await Promise.race([work?.catch(() => undefined), late]);
  clearTimeout(timer);
  return done;
}
