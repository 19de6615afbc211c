import { expect, test } from 'vitest';
import { frameName, sidesOf } from '../../../src/data/recordings';
import { stratifiedSplit } from '../../../src/data/split';

/** Recordings of some lengths, each with its class. */
function recorded(...recordings: { label: number; frames: number }[]) {
  const all = recordings.flatMap(({ label, frames }, r) =>
    Array.from({ length: frames }, (_, i) => ({ label, r, path: `${label}/${frameName(1000 + r, i)}` })),
  );
  return {
    paths: all.map(({ path }) => path),
    labels: all.map(({ label }) => label),
    recordings: all.map(({ r }) => r),
    digests: all.map((_, i) => `${i}`),
  };
}

const split = (set: ReturnType<typeof recorded>, seed = 0) =>
  stratifiedSplit(set.labels, sidesOf(set, set.digests, 0.2), 0.2, seed);

test('pictures of one recording train or are held out together', () => {
  const lengths = [8, 5, 20, 6, 9];
  const set = recorded(...[0, 1].flatMap((label) => lengths.map((frames) => ({ label, frames }))));
  for (let seed = 0; seed < 10; seed++) {
    const { train, held } = split(set, seed);
    const of = (images: number[]) => new Set(images.map((i) => set.recordings[i]));
    expect([...of(held)].filter((r) => of(train).has(r))).toEqual([]);
    expect(new Set(held.map((i) => set.labels[i]))).toEqual(new Set([0, 1]));
  }
});

test('of a class that is one recording its end is held out', () => {
  const set = recorded({ label: 0, frames: 30 }, { label: 1, frames: 10 }, { label: 1, frames: 3 });
  const { held } = split(set);
  expect(held.filter((i) => set.labels[i] === 0)).toEqual([24, 25, 26, 27, 28, 29]);
  expect(held.filter((i) => set.labels[i] === 1)).toEqual([40, 41, 42]);
});

test('a picture that two recordings hold ties them together', () => {
  const set = recorded({ label: 0, frames: 4 }, { label: 0, frames: 4 }, { label: 0, frames: 2 });
  set.digests[5] = set.digests[1];
  const sides = sidesOf(set, set.digests, 0.2);
  expect(new Set(sides.slice(0, 8)).size).toBe(1);
  expect(sides[8]).not.toBe(sides[0]);
});

test('images of other names stay by what they show alone', () => {
  const paths = ['a/1.jpg', 'a/recording-1.jpg', 'a/xrecording-1-2.jpg', 'a/2.jpg'];
  expect(sidesOf({ paths, labels: [0, 0, 0, 0] }, ['p', 'q', 'p', 'r'], 0.2)).toEqual(['p', 'q', 'p', 'r']);
});
