import { expect, test } from 'vitest';
import { parseRates, secondsOf, withStep } from '../../../src/run/step-rates';

test('time goes by the measured step that is nearest in size', () => {
  const measured = [
    { flops: 1e9, ms: 10 },
    { flops: 1e12, ms: 1000 },
  ];
  expect(secondsOf({ all: 1e11, step: 1e9 }, measured)).toEqual({ seconds: 1, isOwn: true });
  expect(secondsOf({ all: 1e12, step: 5e11 }, measured)).toEqual({ seconds: 1, isOwn: false });
  expect(secondsOf({ all: 1e12, step: 5e11 }, [])).toBeUndefined();
  expect(secondsOf({ all: 1e12, step: 5e11 })).toBeUndefined();
});

test('a device remembers its newest steps, and nothing that is no measurement', () => {
  let rates = parseRates(undefined);
  for (let i = 1; i <= 10; i++) rates = withStep(rates, 'a', { flops: i, ms: 1 });
  rates = withStep(rates, 'a', { flops: 9, ms: 2 });
  expect(rates.a.map(({ flops }) => flops)).toEqual([3, 4, 5, 6, 7, 8, 10, 9]);
  expect(withStep(rates, 'a', { flops: 5, ms: Number.NaN })).toBe(rates);
  expect(parseRates(structuredClone(rates))).toEqual(rates);
  expect(parseRates({ a: [{ flops: 'many', ms: 1 }] })).toEqual({});
});
