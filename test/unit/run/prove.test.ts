import { describe, expect, test } from 'vitest';
import { proveMerge, unproven } from '../../../src/run/prove';

const IMAGES = 3;
const CLASSES = 3;
/** A row holds a fourth number, padding of the device's layout. */
const STRIDE = 4;
const COUNTS = { parameters: 100, multiplyAdds: 5000 };

/** Logits whose largest magnitude is 8, the runner-up of the last image close behind its best. */
const logits = (): Float32Array => Float32Array.of(1, -8, 2, 0, 0.5, 4, -3, 0, 2, 1.9999, -1, 0);

/** The proof of a merge whose logits were changed in place, on one side or on both. */
function prove(changeMerged: (l: Float32Array) => void, changeTrained: (l: Float32Array) => void = () => {}) {
  const [trained, merged] = [logits(), logits()];
  changeTrained(trained);
  changeMerged(merged);
  return proveMerge(trained, { logits: merged, ...COUNTS }, COUNTS, CLASSES, IMAGES);
}

const at = (image: number, klass: number, value: number) => (l: Float32Array) => {
  l[image * STRIDE + klass] = value;
};

describe('a merge is proven', () => {
  test('where the logits are the same', () => {
    expect(prove(() => {})).toEqual({
      maxAbsLogitDiff: 0,
      maxRelLogitDiff: 0,
      top1Agreement: 1,
      images: 3,
      parameters: [100, 100],
      multiplyAdds: [5000, 5000],
      ok: true,
    });
  });

  test('where they differ by what rounding explains, relative to the largest logit', () => {
    const proof = prove(at(0, 0, 1 + 0.99 * 8e-4));
    expect(proof.maxAbsLogitDiff).toBeCloseTo(0.99 * 8e-4, 6);
    expect(proof.maxRelLogitDiff).toBeCloseTo(0.99e-4, 6);
    expect(proof.ok).toBe(true);
  });

  test('whatever stands in the padding', () => {
    expect(prove(at(1, 3, Number.NaN)).ok).toBe(true);
    expect(prove(at(1, 3, 100), at(2, 3, -100)).ok).toBe(true);
  });
});

describe('a merge is not proven', () => {
  test.each([0, 1, 2])('where a logit of image %i differs by a little more', (image) => {
    for (const klass of [0, 1, 2]) {
      const value = logits()[image * STRIDE + klass];
      for (const sign of [-1, 1]) {
        const proof = prove(at(image, klass, value + sign * 1.02 * 8e-4));
        expect(proof.maxRelLogitDiff).toBeGreaterThan(1e-4);
        expect(proof.ok).toBe(false);
      }
    }
  });

  test('where one image changes its class, however little its logits', () => {
    const proof = prove(at(2, 1, 2.0001));
    expect(proof.maxRelLogitDiff).toBeLessThan(1e-4);
    expect(proof.top1Agreement).toBeCloseTo(2 / 3, 12);
    expect(proof.ok).toBe(false);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'where there is a %d',
    (bad) => {
      for (const image of [0, 1, 2])
        for (const klass of [0, 1, 2]) {
          const set = at(image, klass, bad);
          const none = () => {};
          for (const proof of [prove(set), prove(none, set), prove(set, set)]) expect(proof.ok).toBe(false);
        }
    },
  );

  test('where a NaN comes first and numbers that agree after it', () => {
    expect(prove(at(0, 0, Number.NaN)).maxAbsLogitDiff).toBeNaN();
    expect(prove(() => {}, at(0, 0, Number.NaN)).maxRelLogitDiff).toBeNaN();
  });

  test('where all logits are another network’s', () => {
    const proof = prove((l) => l.reverse());
    expect(proof.ok).toBe(false);
    expect(proof.maxRelLogitDiff).toBeGreaterThan(0.1);
  });

  test.each(['parameters', 'multiplyAdds'] as const)('where the merged network has other %s', (count) => {
    for (const by of [-1, 1]) {
      const merged = { logits: logits(), ...COUNTS, [count]: COUNTS[count] + by };
      const proof = proveMerge(logits(), merged, COUNTS, CLASSES, IMAGES);
      expect(proof.maxAbsLogitDiff).toBe(0);
      expect(proof[count]).toEqual([COUNTS[count], COUNTS[count] + by]);
      expect(proof.ok).toBe(false);
    }
  });

  test('where logits are missing', () => {
    const short = { logits: logits().subarray(0, 8), ...COUNTS };
    expect(proveMerge(logits(), short, COUNTS, CLASSES, IMAGES).ok).toBe(false);
    expect(
      proveMerge(new Float32Array(), { ...short, logits: new Float32Array() }, COUNTS, CLASSES, 0).ok,
    ).toBe(false);
  });

  test('where nothing could be compared', () => {
    const { ok, images, parameters, multiplyAdds, ...figures } = unproven(COUNTS);
    expect({ ok, images, parameters, multiplyAdds }).toEqual({
      ok: false,
      images: 0,
      parameters: [100, 100],
      multiplyAdds: [5000, 5000],
    });
    expect(Object.values(figures)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });
});
