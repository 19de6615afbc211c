import { expect, test } from 'vitest';
import { progressLine } from '../../../src/cli/progress';

test.each([
  [20, 19],
  [0, 79],
  [undefined, 79],
])('on a terminal of %j columns the progress line has %i letters', (columns, letters) => {
  const written: string[] = [];
  const stream = { isTTY: true, columns, write: (text: string) => written.push(text) };
  progressLine(stream as unknown as NodeJS.WriteStream).show('x'.repeat(200));
  expect(written.join('').replaceAll(/[^x]/g, '')).toHaveLength(letters);
});
