import { expect, test } from 'vitest';
import { costLines, costSvg } from '../../../src/report/layer-cost';
import { plotSvg } from '../../../src/report/plot';
import { svgFile } from '../../../src/report/svg-file';
import { layerCost } from '../../../src/run/layer-cost';

const lines = ['one', 'a < b', 'three'].map((name, i) => ({ name, x: [0, 1, 2], y: [i, i + 1, i * 2] }));

test('a figure is a document of its own: title, names, picture and how it looks', () => {
  const svg = svgFile(plotSvg(lines, { title: 'T', across: 'x', up: 'y' }), 'A & B', [
    'one',
    'a < b',
    'three',
  ]);
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" viewBox="0 0 640 \d+"/);
  expect(svg.match(/<svg/g)).toHaveLength(svg.match(/<\/svg>/g)!.length);
  expect(svg).toContain('A &amp; B');
  expect(svg).toContain('a &lt; b</text>');
  expect(svg).toContain('prefers-color-scheme:dark');
  // a polyline a name and a line
  expect(svg.match(/<polyline/g)).toHaveLength(6);
  expect(svg).not.toMatch(/(href|src)=|<script/);
});

test('many names take several rows', () => {
  const height = (names: string[]) =>
    Number(
      /viewBox="0 0 640 (\d+)"/.exec(
        svgFile(plotSvg(lines, { title: 'T', across: 'x', up: 'y' }), 'T', names),
      )![1],
    );
  const name = 'a name of some length, as arms have';
  expect(height(Array.from({ length: 6 }, () => name))).toBeGreaterThan(height([name]) + 16);
});

test('the figure of costs has powers on both axes', () => {
  const costs = [16, 64, 256].map((channels) =>
    layerCost({ channels, kernel: 3, mapKernel: 3, batch: 8, size: 14 }),
  );
  expect(costLines(costs)).toEqual(['dense, 3 × 3', 'factored, 3 × 3']);
  const { text } = costSvg(costs, 'flops');
  for (const tick of ['>16<', '>64<', '>256<']) expect(text).toContain(tick);
  // a dense map's cost is a straight line
  const [dense] = [...text.matchAll(/<polyline points="([^"]*)"/g)].map(([, points]) =>
    points.split(' ').map((point) => point.split(',').map(Number)),
  );
  const slopes = [1, 2].map((i) => (dense[i][1] - dense[i - 1][1]) / (dense[i][0] - dense[i - 1][0]));
  expect(slopes[0]).toBeCloseTo(slopes[1], 1);
});
