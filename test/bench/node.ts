/**
 * One measurement in Node through Dawn: LIBRARY CASE [REPS]; prints the outcome as the last line. Without arguments it
 * prints the adapter's name.
 */
import { openNode } from '../../src/cli/hosts/node';
import { requestGpu } from '../../src/gpu/device';
import type { LibraryName } from './libraries/library';
import { measureCase } from './measure-case';

const [name, caseName, reps] = process.argv.slice(2);
// finds a driver and puts navigator.gpu in place
await openNode('.');
// jax-js asks for it
if (!('userAgent' in navigator)) Object.defineProperty(navigator, 'userAgent', { value: 'node' });
if (name === undefined) await print((await requestGpu()).name);
const outcome = await measureCase(name as LibraryName, caseName, reps ? Number(reps) : undefined);
await print(outcome);

/** Dawn's devices would keep the process alive. */
function print(result: unknown): Promise<never> {
  return new Promise(() => process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0)));
}
