import { describe, expect, test } from 'vitest';
import { cellsOf } from '../../../src/experiment/cells';
import type { EndedCell } from '../../../src/experiment/ended-cells';
import { type ExperimentFile, parseExperiment } from '../../../src/experiment/experiment';
import { resultsOf } from '../../../src/experiment/results';
import { runResult } from '../../../src/experiment/run-result';
import { bandOf } from '../../../src/report/bands';
import { experimentHtml } from '../../../src/report/experiment';
import { endedRun } from './runs';

/** Results of two arms; `wrong`: of a hundred test images, by arm and seed. */
function results(wrong: Record<string, number[]>, changes: Partial<ExperimentFile> = {}) {
  const file = { name: 'x', arms: ['none', 'finetune', 'refocus'], seeds: [0, 1, 2], ...changes };
  const experiment = parseExperiment(file, 'x.json');
  const ended = cellsOf(experiment).flatMap((cell): EndedCell[] => {
    const few = wrong[cell.arm!]?.[cell.seed];
    if (few === undefined) return [];
    const images = Array.from({ length: few }, (_, i) => i);
    const { name: _, ...run } = endedRun({ seed: cell.seed, wrong: images });
    return [{ cell, run }];
  });
  const redundancy = new Map(ended.map(({ cell, run }) => [cell.arm!, run.redundancy]));
  return { results: resultsOf(experiment, ended, '2026-01-02'), redundancy, ended };
}

const htmlOf = ({ results: of, redundancy }: ReturnType<typeof results>) =>
  experimentHtml(of, { redundancy });

describe('the report of an experiment', () => {
  test('says what was shown, arm by arm, and what was not', () => {
    const html = htmlOf(results({ finetune: [30, 31, 32], refocus: [20, 21, 22] }));
    expect(html).toContain('Refocused was better here.');
    expect(html).toContain('That each arm had the rate that suits it: none was searched for');
    expect(html).not.toContain('Not at its end');
  });

  test('of a base that was trained on the images that chose the rates it says so', () => {
    const said = 'That the rates are the best for new images';
    const searched = { lrSearch: { rates: [0.1, 0.2] } };
    const wrong = { finetune: [30, 31], refocus: [20, 21] };
    const network = { arch: 'dw_unet' };
    const trained = { base: { network, train: { epochs: 4 } } };
    expect(htmlOf(results(wrong, { ...searched, ...trained }))).toContain(said);
    expect(htmlOf(results(wrong, searched))).not.toContain(said);
    expect(htmlOf(results(wrong, trained))).not.toContain(said);
  });

  test('of one arm alone it says that nothing is shown yet', () => {
    const said = 'Nothing yet: that takes a run of Fine-tuned and one of another arm.';
    expect(htmlOf(results({ finetune: [30] }, { arms: ['finetune', 'refocus'] }))).toContain(said);
    expect(htmlOf(results({ finetune: [30], refocus: [20] }))).not.toContain(said);
  });

  test('of a base with a new classifier it says why that has no figures', () => {
    const said = 'What the base is worth: its classifier is new';
    const all = results({ finetune: [30, 31], refocus: [20, 21] });
    expect(htmlOf(all)).not.toContain(said);
    const runs = all.results.runs.map(({ accuracy: { base: _, ...accuracy }, ...run }) => ({
      ...run,
      accuracy,
    }));
    expect(htmlOf({ ...all, results: { ...all.results, runs } })).toContain(said);
  });

  test('shows no difference where the interval holds zero', () => {
    const html = htmlOf(results({ finetune: [30, 20, 32], refocus: [20, 30, 31] }));
    expect(html).toContain('No difference shown: the interval holds zero.');
    expect(html).not.toMatch(/against Fine-tuned[^<]*was better here/);
  });

  test('of one seed there is no interval, and nothing is shown', () => {
    const html = htmlOf(results({ finetune: [30], refocus: [20] }, { seeds: [0] }));
    expect(html).toContain('One seed shows nothing: take three or more.');
    expect(html).toContain('Much by fewer than three seeds');
  });

  test('of a part it says how much is to come', () => {
    const html = htmlOf(results({ finetune: [30, 31], refocus: [20] }));
    expect(html).toContain('Not at its end');
    expect(html).toContain('3 of its runs are missing');
  });

  test('of a part without a run of an arm it says so, and has no table', () => {
    const html = htmlOf(results({}));
    expect(html).toContain('No run of an arm has come to its end yet');
    expect(html).not.toContain('<h2>The arms</h2>');
    expect(html).not.toContain('<th scope="col">');
    expect(html).toContain('<h2>What all arms share</h2>');
  });

  test('of another task it has its figure, and what each arm sees beside what is there', () => {
    const all = results({ finetune: [30, 31, 32], refocus: [20, 21, 22] });
    const box = { left: 0, top: 0, right: 1, bottom: 2, label: 1 };
    const image = {
      pixels: new Uint8Array(12),
      truth: { boxes: [box] },
      base: { boxes: [] },
      last: { boxes: [{ ...box, score: 0.5 }] },
    };
    const pictures = { height: 2, width: 2, classes: ['a', '<b>'], images: [image] };
    const html = experimentHtml(
      { ...all.results, task: 'detection' },
      { pictures: new Map(['finetune', 'refocus'].map((arm) => [arm, pictures])) },
    );
    expect(html).toContain('AP at 0.5 of the test images');
    expect(html).toContain('points of AP at 0.5');
    expect(html).not.toMatch(/(Accuracy of the test images|Last accuracy|points of accuracy)/);
    const seen = [...html.matchAll(/aria-label="image 1, ([^"]*)">(.*?)<\/svg>/g)];
    expect(seen.map(([, name, svg]) => [name, (svg.match(/<rect/g) ?? []).length])).toEqual([
      ['image', 0],
      ['there', 1],
      ['Base', 0],
      ['Fine-tuned', 1],
      ['Refocused', 1],
    ]);
    expect(html).toContain('&lt;b&gt;');
    expect(html).not.toContain('<b>');
    expect(html).toContain('Boxes are those');
  });

  test('speaks of boxes only where there are some', () => {
    const all = results({ finetune: [30, 31, 32], refocus: [20, 21, 22] });
    const mask = new Uint8Array(4);
    const image = { pixels: new Uint8Array(12), truth: { mask }, base: { mask }, last: { mask } };
    const pictures = { height: 2, width: 2, classes: ['a'], images: [image] };
    const html = experimentHtml(
      { ...all.results, task: 'segmentation' },
      { pictures: new Map([['finetune', pictures]]) },
    );
    expect(html).toContain('The first test images;');
    expect(html).not.toContain('Boxes');
  });

  test('runs nothing, asks for nothing, and a name is text', () => {
    const label = '</td><script>alert(1)</script>';
    const arms = ['finetune', { name: 'refocus', arm: 'refocus', label }];
    const html = htmlOf(results({ finetune: [30, 31, 32], refocus: [20, 21, 22] }, { arms }));
    expect(html).not.toContain('<script');
    expect(html).toContain('&lt;script&gt;');
    expect(html).not.toMatch(/\s(src|href)="(?!data:)/);
  });
});

test('of more than four arms there are lines without bands, and the caption says so', () => {
  const names = ['finetune', 'refocus', 'precondition', 'acnet', 'repvgg'];
  const report = (some: string[]) =>
    htmlOf(
      results(Object.fromEntries(some.map((name) => [name, [20, 30]])), {
        arms: ['none', ...some],
        seeds: [0, 1],
        settings: { lr: 0.1 },
      }),
    );
  expect(report(names.slice(0, 4))).toContain('<polygon');
  expect(report(names.slice(0, 4))).toContain('bands reach from the lowest to the highest');
  expect(report(names)).not.toContain('<polygon');
  expect(report(names)).toContain('so many have no bands');
  expect(report(names).match(/<polyline/g)!.length).toBeGreaterThan(15);
});

test('of many comparisons it says how many leave out zero by chance, and which remain', () => {
  const wrong = { finetune: [30, 31, 30], refocus: [5, 6, 5], acnet: [29, 30, 30] };
  const html = htmlOf(
    results(wrong, { arms: ['none', 'finetune', 'refocus', 'acnet'], settings: { lr: 0.1 } }),
  );
  expect(html).toContain(
    '3 comparisons at 95 % each leave out zero 0.15 times by chance where nothing is there, and 2 did. Corrected for their number (Holm), these remain: Base, Refocused.',
  );
});

test('a band begins with the base, where training did, and is of the points that all runs have', () => {
  const { runs } = results({ finetune: [30, 20] }, { seeds: [0, 1] }).results;
  const changed = runs.map((run, i) => ({
    ...run,
    evals: [
      { step: 1, epoch: 1, loss: 1, accuracy: [0.2, 0.4][i] },
      ...(i === 0 ? [{ step: 2, epoch: 2, loss: 1, accuracy: 0.9 }] : []),
    ],
  }));
  const { mean, low, high } = bandOf('finetune', changed, 'accuracy');
  expect([mean, low, high].map((band) => band.map(({ x, y }) => `${x}: ${y.toFixed(2)}`))).toEqual([
    ['0: 0.50', '1: 0.30'],
    ['0: 0.50', '1: 0.20'],
    ['0: 0.50', '1: 0.40'],
  ]);
  expect(bandOf('finetune', changed, 'loss').mean[0]).toEqual({ x: 0, y: 1 });
});

test('random weights do not begin where the base is', () => {
  const { ended } = results({ finetune: [30] }, { seeds: [0] });
  const [{ cell, run }] = ended;
  const settings = { ...run.report.settings, method: 'retrain' as const };
  const { start } = runResult({ cell, run: { ...run, report: { ...run.report, settings } } });
  expect([runResult(ended[0]).start?.accuracy, start]).toEqual([0.5, undefined]);
});
