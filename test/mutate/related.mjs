/** Runs the unit tests that a file has a part in, those of its room first, and tells its parent the first that fails. */
import { basename } from 'node:path';
import { startVitest } from 'vitest/node';

const [file] = process.argv.slice(2);
const room = file ? file.split('/')[1] : '';

/** Tests of the file by name, then of its room, then the others; so most mutants are caught within a second. */
class NearestFirst {
  sort(specifications) {
    const distance = ({ moduleId }) =>
      basename(moduleId).startsWith(basename(file ?? '', '.ts'))
        ? 0
        : moduleId.includes(`/unit/${room}/`)
          ? 1
          : 2;
    return [...specifications].sort((a, b) => distance(a) - distance(b));
  }
  shard(specifications) {
    return specifications;
  }
}

const failures = [];
const reporter = {
  onTestCaseResult(test) {
    if (test.result().state === 'failed')
      failures.push(`${basename(test.module.moduleId)} > ${test.fullName}`);
  },
  onTestModuleEnd(module) {
    if (module.errors().length > 0)
      failures.push(`${basename(module.moduleId)}: ${module.errors()[0].message}`);
  },
};
const vitest = await startVitest('test', [], {
  project: ['unit'],
  related: file ? [file] : undefined,
  watch: false,
  bail: 1,
  passWithNoTests: true,
  reporters: [reporter],
  sequence: { sequencer: NearestFirst },
});
const errors = vitest?.state.getUnhandledErrors() ?? [];
process.send({ failure: failures[0] ?? errors[0]?.message });
await vitest?.close();
process.exit();
