import { expect, test } from 'vitest';
import { GPU_TUNING, SOFTWARE_TUNING } from '../../../src/graph/tuning';
import { parseTunings } from '../../../src/run/tunings';

test('remembered tunings are read back', () => {
  const tunings = {
    'one device': GPU_TUNING,
    another: SOFTWARE_TUNING,
    third: { ...GPU_TUNING, workgroupMemory: true },
  };
  expect(parseTunings(JSON.parse(JSON.stringify(tunings)))).toEqual(tunings);
});

test.each([
  ['nothing', undefined],
  ['text', 'fast'],
  ['threads that are no power of two', { a: { ...GPU_TUNING, threads: 1000 } }],
  ['more sums than any device has registers', { a: { ...GPU_TUNING, sums: 2 ** 20 } }],
  ['a number where there is a choice', { a: { ...GPU_TUNING, workgroupMemory: 1 } }],
  ['one from before there was a choice', { a: { ...GPU_TUNING, workgroupMemory: undefined } }],
  ['a name too many', { a: { ...GPU_TUNING, more: 1 } }],
])('what is damaged counts as nothing: %s', (_, stored) => {
  expect(parseTunings(stored)).toEqual({});
});
