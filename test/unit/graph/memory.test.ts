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

test('no two tensors that live at once share a slot, and every slot is large enough', () => {
  fc.assert(
    fc.property(programs, (steps) => {
      const { ranges, buffers } = placeTensors(steps, {});
      const life = (t: Tensor) => {
        const used = steps.flatMap((s, i) => ([...s.reads, ...s.writes].includes(t) ? [i] : []));
        return [used[0], used[used.length - 1]];
      };
      const all = [...ranges.keys()];
      for (const a of all) {
        expect(buffers[ranges.get(a)!.buffer]).toBeGreaterThanOrEqual(bytesOf(a));
        for (const b of all) {
          if (a === b || ranges.get(a)!.buffer !== ranges.get(b)!.buffer) continue;
          const [[a0, a1], [b0, b1]] = [life(a), life(b)];
          expect(a1 < b0 || b1 < a0).toBe(true);
        }
      }
    }),
  );
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
