import { expect, test } from 'vitest';
import { Stopped } from '../../../src/errors';
import { pipelinesOf } from '../../../src/gpu/pipelines';
import { whileCompiling } from '../../../src/run/while-compiling';
import { fakeGpu } from '../fake-gpu';

/** Work on a device that compiles three kernels, each when the test says so. */
function slowWork() {
  const gpu = fakeGpu();
  const finish: (() => void)[] = [];
  const compiling = ({ label }: { label: string }) =>
    new Promise((resolve) => finish.push(() => resolve({ label })));
  gpu.device.createComputePipelineAsync = compiling as never;
  const kernels = [[], ['x'], ['out']].map((halves) =>
    pipelinesOf(gpu).get('shape/copy', { SIZE: 1, ADDEND: false }, halves),
  );
  return { gpu, finish, work: Promise.all(kernels).then(() => 'done') };
}

test('says how many kernels are compiled, and gives what the work comes to', async () => {
  const { gpu, finish, work } = slowWork();
  const told: [number, number][] = [];
  const result = whileCompiling(gpu, work, {
    goOn() {},
    tell(done, of) {
      told.push([done, of]);
      finish.pop()!();
    },
  });
  // what is there before anybody looks is not counted
  await new Promise((resolve) => setTimeout(resolve, 300));
  finish.pop()!();
  expect(await result).toBe('done');
  expect(told).toEqual([
    [1, 3],
    [2, 3],
  ]);
});

test('leaves the work when the run is stopped, and hears of its result', async () => {
  const { gpu, finish, work } = slowWork();
  let late: unknown;
  const left = whileCompiling(gpu, work, {
    goOn() {
      throw new Stopped();
    },
    late: (result) => {
      late = result;
    },
  });
  await expect(left).rejects.toThrow(Stopped);
  for (const end of finish) end();
  await work;
  expect(late).toBe('done');
});

test('what the work fails with is thrown', async () => {
  const failed = Promise.reject(new Error('no such kernel'));
  await expect(whileCompiling(fakeGpu(), failed, { goOn() {} })).rejects.toThrow('no such kernel');
});
