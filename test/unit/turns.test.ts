import { expect, test } from 'vitest';
import { Turns } from '../../src/turns';

/** Holds the event loop. */
function hold(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test('what waits in the event loop is heard between two parts of long work, and not before each of short ones', async () => {
  const heard: string[] = [];
  const turns = new Turns();
  setTimeout(() => heard.push('timer'));
  for (const part of ['a', 'b', 'c']) {
    await turns.next();
    heard.push(part);
    if (part === 'b') hold(60);
  }
  expect(heard).toEqual(['a', 'b', 'timer', 'c']);
});

test('who asks first goes first, whether the loop turns for it or not', async () => {
  const turns = new Turns();
  hold(60);
  const order: number[] = [];
  const part = async (i: number) => {
    await turns.next();
    order.push(i);
    if (i === 1) hold(60);
  };
  await Promise.all([0, 1, 2, 3].map(part));
  expect(order).toEqual([0, 1, 2, 3]);
});
