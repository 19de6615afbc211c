/** The sections of an experiment's report that an analysis of its networks gives. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import type { Analysis, AnalysisResults } from '../../api';
import { UserError } from '../../errors';
import { analysisSections } from '../../report/analysis/document';
import { type Html, html } from '../../report/html';
import { readJson } from '../json-file';
import { shellWord } from '../shell';

/** The file of an analysis in its folder. */
export const ANALYSIS_FILE = 'analysis.json';

const schema = v.looseObject({
  kind: v.literal('analysis'),
  networks: v.array(v.looseObject({ name: v.string() })),
  results: v.looseObject({}),
});

/**
 * The sections of the analysis that a folder holds, with a heading; none where it holds none.
 * @throws UserError where the file is no analysis
 */
export async function analysedSections(path: string): Promise<Html[]> {
  const file = join(path, ANALYSIS_FILE);
  if (!existsSync(file)) return [];
  const read = v.safeParse(schema, await readJson(file));
  const mistaken = new UserError(
    `${file} is no analysis that this version reads: make it again by refocus analyse ${shellWord(path)}, or remove it.`,
  );
  if (!read.success) throw mistaken;
  const { networks, results } = read.output as unknown as Pick<Analysis, 'networks'> & {
    results: Partial<AnalysisResults>;
  };
  try {
    return [
      html`<h1>The networks looked into</h1><p class="hint">The base and each arm with its first seed (refocus analyse).</p>${analysisSections(
        networks.map(({ name }) => name),
        results,
      )}`,
    ];
  } catch {
    // of another version: its parts are others
    throw mistaken;
  }
}
