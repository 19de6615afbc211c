/** Runs feed.ts from the sources. */
import { runnerImport } from 'vite';

await runnerImport('./test/bench/feed.ts');
