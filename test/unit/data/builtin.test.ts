import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { generateBuiltin, generateImages } from '../../../src/data/builtin/builtin';
import { pick } from '../../../src/data/pick';

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

describe('scenes', async () => {
  const set = 'builtin-scenes';
  const scenes = await generateImages({ set, split: 'train', count: 200 });
  const area = 32 * 32;

  test('the same bytes everywhere, a smaller set a prefix', async () => {
    expect(sha256(scenes.pixels)).toBe('0790904c3480ff74bd667ed2b170345db9de7f27555d54f6a389c508a269d1b2');
    expect(sha256(scenes.truth!.masks)).toBe(
      'c76e9e60b6f7ecef6441ae4b6b04967db70804a20d096426a33b5331c12b94b8',
    );
    const few = await generateImages({ set, split: 'train', count: 7 });
    expect(few.truth!.objects).toEqual(scenes.truth!.objects.slice(0, 7));
    expect((await generateImages({ set, split: 'test' })).count).toBe(400);
  });

  test('one to three objects an image, the first of the class that goes round', () => {
    const { objects } = scenes.truth!;
    expect(new Set(objects.map(({ length }) => length))).toEqual(new Set([1, 2, 3]));
    expect(objects.map(([first]) => first.label)).toEqual([...scenes.labels]);
    expect([...scenes.labels.slice(0, 6)]).toEqual([0, 1, 2, 3, 4, 0]);
  });

  test('every pixel of a mask lies in a box of its class, and each side of a lone box touches the mask', () => {
    scenes.truth!.objects.forEach((objects, image) => {
      const mask = scenes.truth!.masks.subarray(image * area, (image + 1) * area);
      const places = [...mask].flatMap((label, i) => (label > 0 ? [{ label, x: i % 32, y: i >> 5 }] : []));
      for (const { label, x, y } of places)
        expect(
          objects.some(
            (one) =>
              one.label + 1 === label && x >= one.left && x < one.right && y >= one.top && y < one.bottom,
          ),
        ).toBe(true);
      if (objects.length > 1) return;
      const [{ left, top, right, bottom }] = objects;
      const [xs, ys] = [places.map(({ x }) => x), places.map(({ y }) => y)];
      expect([Math.min(...xs), Math.min(...ys), Math.max(...xs) + 1, Math.max(...ys) + 1]).toEqual([
        left,
        top,
        right,
        bottom,
      ]);
    });
  });

  test('masks and objects go with their images into a part', () => {
    const { truth } = pick(scenes, [5, 2]);
    expect(truth!.objects).toEqual([scenes.truth!.objects[5], scenes.truth!.objects[2]]);
    expect(truth!.masks).toEqual(
      Uint8Array.of(
        ...scenes.truth!.masks.slice(5 * area, 6 * area),
        ...scenes.truth!.masks.slice(2 * area, 3 * area),
      ),
    );
  });
});
