/** The networks that an image can be shown to. */
import type { ModelSource, PredictOptions } from '../../api';
import { methodName } from '../../report/comparison';
import { readModel } from '../input/sources';
import { type FinishedRun, finished, shownRun } from '../run/state';

/** A network, or why there is none. */
export type TriedNetwork = { name: string } & (
  | { source: ModelSource; options: PredictOptions }
  | { why: string }
);

/**
 * The network as it was loaded, that of the run that is shown, and those of other methods on the same classes; before a run
 * the loaded one alone.
 * @throws UserError where no network is chosen yet
 */
export function triedNetworks(): TriedNetwork[] {
  const shown = shownRun.value;
  if (!shown) return [{ name: 'As loaded', source: readModel(), options: {} }];
  const others = finished.value.filter((run) => methodOf(run) !== methodOf(shown) && isAlike(run, shown));
  const latest = new Map(others.map((run) => [methodOf(run), run]));
  return [baseOf(shown), mergedOf(shown), ...[...latest.values()].map(mergedOf)];
}

const methodOf = ({ result }: FinishedRun) => result.report.settings.method;

/** Whether runs began with the same network and tell the same classes apart. */
const isAlike = (one: FinishedRun, other: FinishedRun): boolean =>
  one.result.report.network.source === other.result.report.network.source &&
  one.result.report.classes.join('\n') === other.result.report.classes.join('\n');

function baseOf({ job, result: { report } }: FinishedRun): TriedNetwork {
  const name = 'Base';
  if (!job) return { name, why: 'The network that it started from is not in this browser.' };
  if (report.accuracy.base === undefined)
    return { name, why: 'The network you started from has no such classes: its classifier is new.' };
  const { mean, std, exif, interpolation, cropPct, cropMode } = report.settings;
  const imageSize = report.data?.[0].size.width ?? 0;
  return {
    name,
    source: job.model,
    options: { mean, std, exif, interpolation, cropPct, cropMode, imageSize },
  };
}

/** The merged file says itself what its network is and how images are prepared. */
function mergedOf({ result: { report, merged, files: others } }: FinishedRun): TriedNetwork {
  const { exif, method, mean, std, interpolation, cropPct, cropMode } = report.settings;
  const name = methodName(method);
  const onnx = others.find((file) => file.name === 'merged.onnx');
  if (onnx) {
    // the graph is in this file alone, and what it does not tell is the run's
    const files = [{ path: onnx.name, blob: new Blob([onnx.bytes]) }];
    const source: ModelSource = { kind: 'file', files, classes: [...report.classes] };
    return {
      name,
      source,
      options: {
        mean,
        std,
        exif,
        interpolation,
        cropPct,
        cropMode,
        imageSize: report.data?.[0].size.width ?? 0,
      },
    };
  }
  const files = [{ path: 'merged.safetensors', blob: new Blob([merged]) }];
  return { name, source: { kind: 'file', files }, options: { exif } };
}
