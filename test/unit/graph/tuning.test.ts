import { expect, test } from 'vitest';
import { GPU_TUNING, SOFTWARE_TUNING, TUNINGS_BY_VENDOR, tuningFor } from '../../../src/graph/tuning';
import { parseTunings } from '../../../src/run/tunings';

test('a device is cut for as its maker says, one that is drawn by a processor as such, whoever made that', () => {
  for (const [vendor, tuning] of TUNINGS_BY_VENDOR) {
    expect(tuningFor(vendor, false)).toBe(tuning);
    expect(tuningFor(vendor, true)).toBe(SOFTWARE_TUNING);
  }
  expect(tuningFor('Apple', false)).toBe(TUNINGS_BY_VENDOR.get('apple'));
  // a browser may keep the vendor to itself
  for (const vendor of ['', 'another']) expect(tuningFor(vendor, false)).toBe(GPU_TUNING);
});

test('each of them may be remembered', () => {
  const tunings = { ...Object.fromEntries(TUNINGS_BY_VENDOR), software: SOFTWARE_TUNING };
  expect(parseTunings(tunings)).toEqual(tunings);
});
