import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { architectureNames } from '../../../src/model/zoo';
import { networkFigures, networkRows } from '../../../src/run/networks';

const figures = networkFigures();

// `npm run plans` writes the table anew
test('the table in docs/networks.md has every network as it is', async () => {
  const page = readFileSync('docs/networks.md', 'utf8');
  const rows = networkRows(figures);
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  // names to the left, numbers to the right, in columns
  const line = (row: string[]) =>
    `| ${row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`;
  const rule = widths.map((w, i) => (i < 2 ? '-'.repeat(w) : `${'-'.repeat(w - 1)}:`));
  const table = [line(rows[0]), line(rule), ...rows.slice(1).map(line)];
  const written = page.replace(/^\|.*\n(\|.*\n)*/m, () => `${table.join('\n')}\n`);
  expect(written).toContain(table.join('\n'));
  await expect(written).toMatchFileSnapshot('../../../docs/networks.md');
});

test('figures are those that the papers and torchvision give', () => {
  expect(figures.map(({ arch }) => arch)).toEqual(architectureNames());
  const of = (arch: string) => figures.find((f) => f.arch === arch)!;
  // torchvision's `num_params` and `_ops` of its weights
  expect([of('resnet50').parameters, of('resnet50').multiplyAdds / 1e9]).toEqual([
    25_557_032,
    expect.closeTo(4.089, 3),
  ]);
  expect([of('convnext_small').parameters, of('convnext_small').multiplyAdds / 1e9]).toEqual([
    50_223_688,
    expect.closeTo(8.684, 2),
  ]);
  expect(of('resnet50')).toMatchObject({ refconvs: 17, size: 224, publishers: ['torchvision', 'kuangliu'] });
  expect(of('resnet20_cifar')).toMatchObject({
    refconvs: 19,
    size: 32,
    publishers: ['akamaster', 'chenyaofo'],
  });
  expect(of('mobilenet_v1')).toMatchObject({ parameters: 4_231_976, publishers: ['timm'] });
  expect(of('convnext_tiny').publishers).toEqual(['torchvision', 'timm', 'facebookresearch']);
});
