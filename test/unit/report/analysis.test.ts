import { expect, test } from 'vitest';
import { analysisHtml, analysisSections } from '../../../src/report/analysis/document';
import { cellsSvg, contoursSvg } from '../../../src/report/analysis/matrix';
import { plotSvg } from '../../../src/report/plot';
import { fakeAnalysis } from '../../analysis';

const titles = (html: string) => [...html.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, title]) => title);

test('every analysis has its section, with what it does not show', () => {
  const html = analysisHtml(fakeAnalysis);
  expect(titles(html)).toEqual([
    'Redundancy of kernels',
    'Distance from base',
    'Skeletons of kernels',
    'What refocusing can change',
    'Accuracy and calibration',
    'Likeness of features',
    'Transfer by a linear probe',
    'Corrupted images',
    'Adversarial images',
    'Sharpness',
    'Loss landscape',
    'From base to the others',
  ]);
  expect(html.match(/Not shown: /g)).toHaveLength(12);
  // a name is text
  expect(html).not.toContain('<b>');
  expect(html).toContain('&lt;b&gt;refocused');
  // it asks for nothing
  expect(html).not.toMatch(/(?:src|href)="(?!data:)/);
});

test('what was not made has no section, and an analysis of one network compares nothing', () => {
  const { landscape, weights, calibration } = fakeAnalysis.results;
  const alone = analysisSections(['base'], {
    weights: { networks: [weights!.networks[0]], changes: [] },
    landscape: { ...landscape!, losses: [landscape!.losses[0]], grid: undefined, paths: [] },
    calibration: { networks: [calibration!.networks[0]] },
  }).text;
  expect(titles(alone)).toEqual([
    'Redundancy of kernels',
    'Skeletons of kernels',
    'What refocusing can change',
    'Accuracy and calibration',
    'Loss landscape',
  ]);
  expect(analysisHtml({ ...fakeAnalysis, stopped: true, results: {} })).toContain('Stopped before its end');
});

test('a section bears what JSON makes of numbers that are none', () => {
  const kept = JSON.parse(JSON.stringify(fakeAnalysis));
  kept.results.landscape.losses[0][0] = null;
  kept.results.landscape.grid.losses[1][0][0] = null;
  kept.results.similarity.matrices[1][0][0] = null;
  kept.results.sharpness.networks[0].value = null;
  const html = analysisHtml(kept);
  expect(html).not.toMatch(/NaN|null|undefined/);
});

test('a cell stands where its row and column are, in viridis from low to high', () => {
  const svg = cellsSvg(
    [
      [0, 1],
      [Number.NaN, 0.5],
    ],
    'a',
    { low: 0, high: 1 },
  ).text;
  const cells = [...svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)".*?fill="(#\w+)"/g)].map((m) => m.slice(1));
  expect(cells).toEqual([
    ['0.00', '0.00', '#440154'],
    ['120.00', '0.00', '#fde725'],
    ['120.00', '120.00', '#21918c'],
  ]);
});

test('contours of a bowl are rings around its middle, the first row at the bottom', () => {
  const line = [-1, -0.5, 0, 0.5, 1];
  const rings = contoursSvg(
    line.map((a) => line.map((b) => a * a + b * b)),
    'a',
    { low: 0, high: 2 },
  ).text;
  expect(rings.match(/<path d="M[^"]+Z" fill/g)!.length).toBeGreaterThan(8);
  // what lies low in the first row is light in the upper half only
  const slope = contoursSvg(
    [
      [0, 0],
      [1, 1],
    ],
    'a',
    { low: 0, high: 1 },
  ).text;
  const last = [...slope.matchAll(/<path d="(M[^"]+Z)" fill/g)].at(-1)![1];
  const ys = [...last.matchAll(/[ML][\d.-]+ ([\d.-]+)/g)].map(([, y]) => Number(y));
  expect(Math.max(...ys)).toBeLessThan(60);
});

test('a curve leaves out what is no number', () => {
  const svg = plotSvg([{ name: 'a', x: [0, 1, 2], y: [1, Number.NaN, 3] }], {
    title: 't',
    across: 'x',
    up: 'y',
  }).text;
  expect(svg).toContain('points="78.0,210.0 616.0,12.0"');
  expect(
    plotSvg([{ name: 'a', x: [0], y: [Number.NaN] }], { title: 't', across: 'x', up: 'y' }).text,
  ).toContain('no number');
});
