/** What of an experiment is taken home: its report, its figures, and the merged weights of each arm. */

import { UserError } from '../../errors';
import { picturesOf, redundancyOf } from '../../experiment/ended-cells';
import { explain } from '../engine';
import { download } from '../files';
import { pack, readFile } from '../saved/run-folder';
import { cells, error, results, runOf, shown } from './queue';

export function Downloads() {
  const all = results.value!;
  const { name } = all.experiment;
  const report = async () => {
    const { experimentHtml } = await import('../../report/experiment');
    const { ended } = shown.value!;
    const html = experimentHtml(all, { redundancy: redundancyOf(ended), pictures: picturesOf(ended) });
    download(`${name}.html`, html, 'text/html');
  };
  if (all.runs.length === 0) return null;
  return (
    <>
      <button type="button" class="button small" onClick={report}>
        Report
      </button>
      <button
        type="button"
        class="button small"
        onClick={() => download('results.json', `${JSON.stringify(all, null, 2)}\n`, 'application/json')}
      >
        results.json
      </button>
      <button
        type="button"
        class="button small"
        onClick={() =>
          weights().then(
            (blob) => download(`${name}-weights.zip`, blob, 'application/zip'),
            (thrown) => {
              error.value = explain(thrown);
            },
          )
        }
      >
        Merged weights
      </button>
    </>
  );
}

/** The merged network of each run that is still here, by its arm and seed; unproven ones say so. */
async function weights(): Promise<Blob> {
  const kept = shown.value!;
  const files: { name: string; blob: Blob }[] = [];
  for (const cell of cells.value.filter(({ kind }) => kind === 'run')) {
    const run = runOf(kept, cell);
    if (!run?.report) continue;
    // of a network that came as an ONNX file that file too, without which weights have no layers
    for (const type of ['safetensors', 'onnx']) {
      const blob = await readFile(run.id, `merged.${type}`);
      const ending = run.report.proof.ok ? type : `unproven.${type}`;
      if (blob) files.push({ name: `${cell.arm}-seed${cell.seed}.${ending}`, blob });
    }
  }
  if (files.length === 0)
    throw new UserError('The runs of this experiment are not in the browser’s storage any more.');
  return pack(files);
}
