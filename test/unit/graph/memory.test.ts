import fc from 'fast-check';
import { expect, test } from 'vitest';
import { placeTensors, type Usage } from '../../../src/graph/memory';
import { bytesOf, type Tensor } from '../../../src/graph/tensor';

const tensor = (id: number, size: number, role: Tensor['role'] = 'activation'): Tensor => ({
  id,
  name: `t${id}`,
  shape: [size],
  padded: [size],
  dtype: 'f32',
  role,
});

/** A chain of steps, each reading some earlier tensors and writing one new one. */
const programs = fc
  .array(
    fc.record({
      size: fc.integer({ min: 1, max: 400 }),
      back: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((steps) => {
    const tensors = steps.map((s, i) => tensor(i, s.size));
    return steps.map(
      (s, i): Usage => ({
        reads: s.back.filter((b) => b <= i).map((b) => tensors[i - b]),
        writes: [tensors[i]],
      }),
    );
  });

test('no two tensors that live at once overlap, and no step reads and writes one buffer', () => {
  fc.assert(
    fc.property(programs, (steps) => {
      const { ranges, buffers } = placeTensors(steps, {});
      const place = (t: Tensor) => ranges.get(t)!;
      const end = (t: Tensor) => place(t).offset + bytesOf(t);
      const life = (t: Tensor) => {
        const used = steps.flatMap((s, i) => ([...s.reads, ...s.writes].includes(t) ? [i] : []));
        return [used[0], used[used.length - 1]];
      };
      const all = [...ranges.keys()];
      for (const a of all) {
        expect(end(a)).toBeLessThanOrEqual(buffers[place(a).buffer]);
        expect(place(a).offset % 256).toBe(0);
        for (const b of all) {
          if (a === b || place(a).buffer !== place(b).buffer) continue;
          const [[a0, a1], [b0, b1]] = [life(a), life(b)];
          expect(a1 < b0 || b1 < a0 || end(a) <= place(b).offset || end(b) <= place(a).offset).toBe(true);
        }
      }
      for (const { reads, writes } of steps) {
        const written = new Set(writes.map((t) => place(t).buffer));
        expect(reads.some((t) => written.has(place(t).buffer))).toBe(false);
      }
    }),
  );
});

test('small tensors lie side by side where a large one lay before them', () => {
  const [large, a, b, end] = [tensor(0, 512), tensor(1, 256), tensor(2, 256), tensor(3, 64)];
  const { buffers } = placeTensors(
    [
      { reads: [], writes: [large] },
      { reads: [large], writes: [end] },
      { reads: [], writes: [a, b] },
      { reads: [a, b, end], writes: [] },
    ],
    {},
  );
  expect(buffers).toEqual({ 'slot 0': 2048, 'slot 1': 256 });
});

test("a gradient lies at its parameter's offset, and a second plan keeps the places of the first", () => {
  const layout = {};
  const [p, q] = [tensor(0, 5, 'parameter'), tensor(1, 300, 'parameter')];
  const gradient = { ...q, id: 2, role: 'gradient' as const };
  const first = placeTensors([{ reads: [p, q], writes: [gradient] }], layout);
  expect(first.ranges.get(gradient)!.offset).toBe(first.ranges.get(q)!.offset);
  expect(first.ranges.get(q)!.offset).toBe(256);
  const again = placeTensors([{ reads: [{ ...q, id: 9 }], writes: [tensor(10, 4)] }], layout);
  expect([...again.ranges.values()][0].offset).toBe(256);
});

test('an arena is as large as the parameters, whatever of it is bound', () => {
  const [p, q] = [tensor(0, 5, 'parameter'), tensor(1, 300, 'parameter')];
  const momentum = { ...tensor(3, 0, 'arena'), name: 'momentum' };
  const { buffers } = placeTensors([{ reads: [p, q], writes: [momentum] }], {});
  expect(buffers.momentum).toBe(buffers.parameters);
});
