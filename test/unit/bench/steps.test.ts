import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { BenchLine } from '../../../src/bench';
import { stepImages } from '../../../src/bench/steps';
import { architectureNames } from '../../../src/model/zoo';
import { rowsOf, withSteps } from '../../bench/steps';

const page = `# Networks

| network   | px |
| --------- | -: |
| resnet50  | 224 |

Words.

| network | images | fine-tuning | refocusing | ratio |
| ------- | -----: | ----------: | ---------: | ----: |
| vgg11 | 2 of 32 px | 5.00 ms | 6.00 ms | 1.20 |
| resnet18 | 4 of 64 px | 1.00 ms | 2.00 ms | 2.00 |

More words.
`;

const measured = (name: string, ms: number) => ({ case: name, ms: 2 * ms, minMs: ms }) as BenchLine;

test('measured steps take their rows in the order of the zoo, the others stay', () => {
  const written = withSteps(page, [
    measured('step-mobilenet_v2-finetune', 123.4),
    measured('step-mobilenet_v2-refocus', 99.46),
    measured('step-vgg11-finetune', 8),
    measured('step-vgg11-refocus', 12),
    measured('step-resnet34-finetune', 1),
  ]);
  expect(written).toBe(
    page.replace(
      /\| network \| images[\s\S]*2\.00 \|\n/,
      `| network      |     images | fine-tuning | refocusing | ratio |
| ------------ | ---------: | ----------: | ---------: | ----: |
| mobilenet_v2 | 4 of 64 px |      123 ms |    99.5 ms |  0.81 |
| resnet18     | 4 of 64 px |     1.00 ms |    2.00 ms |  2.00 |
| vgg11        | 2 of 32 px |     8.00 ms |    12.0 ms |  1.50 |
`,
    ),
  );
});

test('a step has images of 64 pixels, few and small ones where a network computes much', () => {
  expect(stepImages('mobilenet_v2')).toEqual({ batch: 4, size: 64 });
  expect(stepImages('resnet18')).toEqual({ batch: 4, size: 64 });
  expect(stepImages('resnet50')).toEqual({ batch: 2, size: 32 });
  expect(stepImages('ds_cnn')).toEqual({ batch: 4, size: 49 });
});

test('the table in docs/networks.md is of known networks, in their order', () => {
  const names = [...rowsOf(readFileSync('docs/networks.md', 'utf8')).keys()];
  expect(names).toEqual(architectureNames().filter((name) => names.includes(name)));
});
