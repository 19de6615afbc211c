import { CHECKPOINT_FILES } from './checkpoint-file';
import { PREDICTION_FILES, REDUNDANCY_FILE, REPORT_PAGE, RUN_FILES } from './run-files';

/** Every file that a bundle may have; others in the archive are left alone. */
export const BUNDLE_FILES: readonly string[] = [
  ...Object.values(RUN_FILES),
  ...Object.values(PREDICTION_FILES),
  REDUNDANCY_FILE,
  REPORT_PAGE,
  ...['merged', 'best', 'merged.unproven', 'best.unproven', 'unmerged'].flatMap((name) => [
    `${name}.safetensors`,
    `${name}.pth`,
    `${name}.onnx`,
  ]),
  'labels.txt',
  'check.py',
  'check.safetensors',
  'skipped.csv',
  'metrics.csv',
  'log.json',
  ...CHECKPOINT_FILES,
];

/**
 * Where the run of an archive is: the folder in it, '' at its top; undefined where there is none. A run has a report or a
 * configuration, and what it trained.
 */
export function bundleFolder(names: readonly string[]): string | undefined {
  const all = new Set(names);
  const folders = names
    .filter((name) => /(^|\/)(report|config)\.json$/.test(name) && !/(^|\/)(__MACOSX|\.[^/]*)\//.test(name))
    .map((name) => name.slice(0, name.lastIndexOf('/') + 1))
    .sort((a, b) => a.length - b.length);
  const has = (folder: string, name: string) => all.has(folder + name);
  const trained = ['metrics.jsonl', 'merged.safetensors', 'merged.pth', ...CHECKPOINT_FILES];
  return folders.find((folder) => trained.some((name) => has(folder, name)));
}
