/**
 * One measurement in Node through Dawn: LIBRARY CASE [REPS]; prints the outcome as the last line. Without arguments it
 * prints the adapter's name.
 */
import { requestGpu } from '../../src/gpu/device';
import { findGpu } from '../../src/node';
import type { LibraryName } from './libraries/library';
import { measureCase } from './measure-case';

const [name, caseName, reps] = process.argv.slice(2);
// what the libraries ask for: Node 20 has no navigator, later ones have one without a gpu
if (!('navigator' in globalThis)) Object.defineProperty(globalThis, 'navigator', { value: {} });
Object.defineProperty(navigator, 'gpu', { value: await findGpu() });
if (!('userAgent' in navigator)) Object.defineProperty(navigator, 'userAgent', { value: 'node' });
if (name === undefined) await print((await requestGpu()).name);
const outcome = await measureCase(name as LibraryName, caseName, reps ? Number(reps) : undefined);
await print(outcome);

/** Dawn's devices would keep the process alive. */
function print(result: unknown): Promise<never> {
  return new Promise(() => process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0)));
}
