import { expect, test } from 'vitest';
import { count } from '../../../src/report/format';

test('whole numbers have their thousands apart, as Intl sets them', () => {
  const { format } = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
  const values = [0, 7, 12.5, 999.4, 999.5, 1000, 12_345, 1_234_567.8, 1e12, -3, -1234.5, Number.NaN];
  expect(values.map(count)).toEqual(values.map((value) => format(value)));
});
