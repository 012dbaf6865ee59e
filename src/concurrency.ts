/**
 * Runs a task for each item, at most `limit` at the same time, in order. The first error ends it after the tasks that
 * have begun; tasks that may fail one by one catch for themselves.
 */
export async function forEachConcurrently<T>(
  items: readonly T[],
  limit: number,
  task: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const queue = items.entries();
  let isBroken = false;
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) {
      if (isBroken) return;
      await task(item, index).catch((thrown: unknown) => {
        isBroken = true;
        throw thrown;
      });
    }
  };
  const workers = Array.from({ length: Math.max(1, Math.min(limit, items.length)) }, worker);
  const outcomes = await Promise.allSettled(workers);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
}
