/**
 * What work comes to, or `late` when it has not ended in time, in milliseconds. What has come in while this process was
 * busy is looked at before: a busy process must not take its own slowness for a provider's silence, and send it all again.
 */
export async function within<T>(ms: number, work: Promise<T>): Promise<T | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => setImmediate(resolve, 'late'), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
