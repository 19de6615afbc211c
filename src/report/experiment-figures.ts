/** The figures of an experiment as files of their own. */
import type { ExperimentResults } from '../experiment/results';
import { bandQuantities, bandsSvg, bandTitle, trainedArms } from './bands';
import { differencesSvg } from './differences';
import { labelOf } from './experiment-words';
import { figureOf } from './figure';
import type { Html } from './html';
import { svgFile } from './svg-file';

/** SVG documents by their names; none where no run has come to an end. */
export function experimentFigures(results: ExperimentResults): Map<string, string> {
  const figures = new Map<string, string>();
  const add = (name: string, figure: Html, title: string, names?: readonly string[]) => {
    // of what was not recorded there is a sentence in its place
    if (figure.text.includes('<svg')) figures.set(`${name}.svg`, svgFile(figure, title, names));
  };
  const names = trainedArms(results).map(({ label }) => label);
  for (const quantity of bandQuantities)
    add(quantity, bandsSvg(results, quantity), bandTitle(results, quantity), names);
  const reference = labelOf(results)(results.experiment.reference);
  add(
    'differences',
    differencesSvg(results),
    `Last ${figureOf(results.task).name}, less that of ${reference}`,
  );
  return figures;
}
