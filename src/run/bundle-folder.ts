import { CHECKPOINT_FILES } from './checkpoint-file';

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
