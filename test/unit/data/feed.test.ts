import { expect, test } from 'vitest';
import { type Feed, ResidentFeed } from '../../../src/data/feed';
import type { LabelledImages } from '../../../src/data/types';

function images(count: number): LabelledImages {
  return {
    pixels: Uint8Array.from({ length: count * 3 }, (_, i) => i + 1),
    labels: Uint16Array.from({ length: count }, (_, i) => 300 + i),
    count,
    height: 1,
    width: 1,
    classes: [],
  };
}

function feedOf(set: LabelledImages) {
  const written: [string, ArrayBufferView][] = [];
  const feed: Feed = new ResidentFeed({ write: (key, data) => written.push([key, data]) }, 'train', set);
  return { feed, written };
}

test('a resident feed uploads images and labels once, in whole words', () => {
  const { feed, written } = feedOf(images(3));
  expect(feed.count).toBe(3);
  expect(written).toEqual([
    ['input:train images', Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0)],
    ['input:train labels', Uint32Array.of(300, 301, 302)],
  ]);
});

test('what is whole words already is not copied', () => {
  const set = images(4);
  expect(feedOf(set).written[0][1]).toBe(set.pixels);
});

test('a pass writes its order alone', async () => {
  const { feed, written } = feedOf(images(4));
  const order = Uint32Array.of(2, 0, 3, 1);
  feed.begin(order);
  expect(written.slice(2)).toEqual([['input:train order', order]]);
  await feed.ready(2, 2);
  expect(written).toHaveLength(3);
});
