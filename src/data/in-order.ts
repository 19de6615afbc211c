/** Does `work` with each item, at most `atOnce` at a time; the results come in the items' order, whichever is done first. */
export async function* inOrder<T, R>(
  items: Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const running: Promise<R>[] = [];
  const begin = (item: T) => {
    const result = work(item);
    // it is waited for later, perhaps never where an earlier one fails
    result.catch(() => {});
    running.push(result);
  };
  for (const item of items) {
    begin(item);
    if (running.length === atOnce) yield await running.shift()!;
  }
  while (running.length > 0) yield await running.shift()!;
}
