/** One measurement in Node through Dawn: LIBRARY CASE [REPS]; prints the outcome as the last line. */
import { openNode } from '../../src/cli/runtime/node';
import type { LibraryName } from './libraries/library';
import { measureCase } from './measure-case';

const [name, caseName, reps] = process.argv.slice(2);
// finds a driver and puts navigator.gpu in place
await openNode('.');
// jax-js asks for it
if (!('userAgent' in navigator)) Object.defineProperty(navigator, 'userAgent', { value: 'node' });
const outcome = await measureCase(name as LibraryName, caseName, reps ? Number(reps) : undefined);
process.stdout.write(`${JSON.stringify(outcome)}\n`, () => process.exit(0));
