import { expect, test } from 'vitest';
import { Memo } from '../../../src/run/memo';

test('what is asked for again is made once, what failed again', async () => {
  const memo = new Memo();
  let made = 0;
  const make = async () => ++made;
  expect(await Promise.all([memo.get('a', make), memo.get('a', make), memo.get('b', make)])).toEqual([
    1, 1, 2,
  ]);
  const failing = () => Promise.reject(new Error('no'));
  await expect(memo.get('c', failing)).rejects.toThrow('no');
  expect(await memo.get('c', make)).toBe(3);
});

test('the oldest of many results are forgotten', async () => {
  const memo = new Memo();
  for (let i = 0; i < 20; i++) await memo.get(`${i}`, async () => i);
  expect(await memo.get('19', async () => -1)).toBe(19);
  expect(await memo.get('0', async () => -1)).toBe(-1);
});
