/** `npm run bench`; see main.ts. */
import { runnerImport } from 'vite';

const { module } = await runnerImport('./test/bench/main.ts');
process.exit(await module.main(process.argv.slice(2)));
