import { expect, test } from 'vitest';
import { loadImageSet } from '../../../src/data/image-set';
import { classNameFault, freeName } from '../../../src/page/capture/class-name';
import { freeFile } from '../../../src/page/capture/own-set';
import { pictures, userFiles } from '../data/helpers';

test.each([
  ['', 'Give the class a name'],
  ['  ', 'Give the class a name'],
  ['a/b', 'without / and \\'],
  ['a\nb', 'one line'],
  ['\u202egnp', 'one line'],
  ['.cats', 'hidden folder'],
  ['__MACOSX', 'hidden folder'],
  ['Test', 'a part of the set'],
  ['caf\u0065\u0301', 'a class of that name'],
  ['x'.repeat(101), 'at most 100'],
])('a class cannot be called %j', (name, why) => {
  expect(classNameFault(name, ['caf\u00e9'])).toContain(why);
});

test('whatever else a class is called, it is read back as that class', async () => {
  const names = ['my cat', 'כלב', '🐕 dog', 'a.b', 'x=1, y', '<b>ring', 'train 2', '100 %'];
  for (const name of names)
    expect(
      classNameFault(
        name,
        names.filter((one) => one !== name),
      ),
    ).toBe(undefined);
  const set = userFiles(pictures(...names.map((name) => `my images/${name}*2`)));
  expect([...(await loadImageSet(set)).report.classes].sort()).toEqual([...names].sort());
});

test('names are free ones', () => {
  expect(freeName(['Class 1', 'Class 3'])).toBe('Class 2');
  const taken = new Set(['a.jpg']);
  const freed = ['a.jpg', 'a.jpg', 'b', 'b'].map((name) => freeFile(name, taken));
  expect(freed).toEqual(['a 2.jpg', 'a 3.jpg', 'b', 'b 2']);
});
