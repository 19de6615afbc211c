#!/usr/bin/env node
/** The command `refocus`: builds what is missing, then runs the command line. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBuilt } from './build.mjs';

const dist = await ensureBuilt((line) => console.error(line)).catch((error) => {
  console.error(error.message);
  process.exit(2);
});
const { main } = await import(pathToFileURL(join(dist, 'cli', 'main.js')).href);
await main(process.argv.slice(2), join(dist, 'page'));
