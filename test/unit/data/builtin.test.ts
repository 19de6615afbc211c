import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { generateBuiltin } from '../../../src/data/builtin/builtin';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('generateBuiltin', () => {
  const images = generateBuiltin({ split: 'train', count: 200 });

  // the built-in network was trained on these very bytes: a change of the generator needs a new network
  test('gives the same bytes everywhere', () => {
    expect(sha256(images.pixels)).toBe('94254df08f9dfe2855bcd6c90b5139f58d99b953c7dde7e1fb75f45433b6e850');
    expect(sha256(generateBuiltin({ split: 'test', count: 200 }).pixels)).toBe(
      'aa6f1c08642de59b5016bc1e33805cc6544843a0c394df7669a143acbb975d6c',
    );
  });

  test('a smaller set is a prefix, balanced over ten classes', () => {
    const few = generateBuiltin({ split: 'train', count: 20 });
    expect(few.pixels).toEqual(images.pixels.slice(0, few.pixels.length));
    expect([...few.labels]).toEqual([...few.labels.keys()].map((i) => i % 10));
    expect(few.classes).toHaveLength(10);
  });

  test('no image is flat, no two are equal', () => {
    const size = 32 * 32 * 3;
    const seen = new Set<string>();
    for (let i = 0; i < images.count; i++) {
      const image = images.pixels.subarray(i * size, (i + 1) * size);
      seen.add(sha256(image));
      expect(new Set(image).size).toBeGreaterThan(20);
    }
    expect(seen.size).toBe(images.count);
  });

  test('the other camera: the same shapes in other scenes, the same bytes everywhere', () => {
    const set = 'builtin-camera';
    const seen = generateBuiltin({ set, split: 'train', count: 200 });
    expect(sha256(seen.pixels)).toBe('ef4a65332640d316ece400e319df63912e0f6f01310645b57eb7a8186317e55e');
    expect(sha256(generateBuiltin({ set, split: 'test', count: 200 }).pixels)).toBe(
      '92206ef1817dff65bb159a53752b17a7ca14fe24febe2127cfef73e84ee34890',
    );
    expect(seen).toMatchObject({ classes: images.classes, labels: images.labels });
    expect(generateBuiltin({ set, split: 'test' }).count).toBe(1000);
  });

  test('another seed gives other images', () => {
    expect(generateBuiltin({ split: 'train', count: 1, seed: 2 }).pixels).not.toEqual(
      images.pixels.slice(0, 3072),
    );
  });
});
