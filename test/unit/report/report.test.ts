import { describe, expect, test } from 'vitest';
import { divergences } from '../../../src/analysis/pairs';
import { redundancyOf } from '../../../src/analysis/redundancy';
import { comparePaired, meanAndDeviation, pairedInterval } from '../../../src/analysis/uncertainty';
import { png } from '../../../src/data/images/png';
import { armsCsv, armsOf, differences, type EndedRun } from '../../../src/report/arms';
import { ticksOf } from '../../../src/report/chart';
import { compareSeeds, seedsText, verdictOf } from '../../../src/report/comparison';
import { heatmapUri } from '../../../src/report/heatmap';
import { html } from '../../../src/report/html';
import { reportHtml } from '../../../src/report/report';
import { endedRun, predictionsOf } from './runs';

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const plain = (text: string) => text.replaceAll('\u00a0', ' ');

test('the interval of a paired difference is that of Bonett and Price', () => {
  // computed by their formula in Python
  const [low, high] = pairedInterval({ gained: 10, lost: 2 }, 100);
  expect([low, high]).toEqual([
    expect.closeTo(0.00816378903006991, 12),
    expect.closeTo(0.1486989560679693, 12),
  ]);
  const none = pairedInterval({ gained: 0, lost: 0 }, 40);
  expect(none[1]).toBeCloseTo(0.06599542020712751, 12);
  expect(none[0]).toBeCloseTo(-0.06599542020712751, 12);
});

test('networks are compared on the same images alone', () => {
  const before = predictionsOf(10, [0, 1, 2]);
  const compared = comparePaired(before, predictionsOf(10, [2, 3]))!;
  expect(compared).toMatchObject({ images: 10, flips: { gained: 2, lost: 1 } });
  expect(compared.difference).toBeCloseTo(0.1, 12);
  expect(comparePaired(before, predictionsOf(9, []))).toBeUndefined();
  expect(comparePaired(before, predictionsOf(10, [], ['a', 'c']))).toBeUndefined();
  expect(comparePaired(undefined, before)).toBeUndefined();
});

describe('the table of arms', () => {
  const reference = endedRun({ name: 'first, "one"', wrong: range(0, 10) });
  const other = endedRun({ name: 'second', method: 'finetune', wrong: range(8, 30) });

  test('compares each run with the reference image by image', () => {
    const [, arm] = armsOf([reference, other]);
    expect(arm.difference).toBeCloseTo(-0.12, 12);
    expect(arm.paired?.flips).toMatchObject({ gained: 8, lost: 20 });
    const [first] = armsOf([reference, other], 1);
    expect(first.paired?.flips).toMatchObject({ gained: 20, lost: 8 });
  });

  test('is a table of comma-separated values', () => {
    const [header, ...rows] = armsCsv(armsOf([reference, other])).split('\r\n');
    expect(header).toMatch(/^name,method,seed,ended,test_images,base,last,/);
    expect(rows[0]).toMatch(/^"first, ""one""",refocus,0,finished,100,0.5,0.9,/);
    expect(rows[1]).toMatch(/^second,finetune,0,finished,100,0.5,0.78,/);
  });

  test('says which settings differ', () => {
    expect(differences([reference, other])).toEqual([{ name: 'method', values: ['refocus', 'finetune'] }]);
    expect(differences([reference, reference])).toEqual([]);
  });
});

test('a verdict names the better network, and chance where it is', () => {
  const verdict = (before: number[], after: number[]) =>
    plain(verdictOf(['A', 'B'], comparePaired(predictionsOf(100, before), predictionsOf(100, after))!));
  expect(verdict(range(0, 20), [])).toMatch(
    /^B against A: \+20\.00 points \(95 %: .*20 are gained and 0 lost \(McNemar’s test, p < 0\.001\)\. So B was better than A, by more than chance/,
  );
  expect(verdict([], range(0, 20))).toMatch(/So A was better than B, by more than chance/);
  expect(verdict([1, 2], [3])).toMatch(/Here B was better, which may be chance/);
  expect(verdict([1, 2], [3, 4, 5])).toMatch(/Here A was better, which may be chance/);
  expect(verdict([1], [2])).toMatch(/Neither was better\.$/);
});

describe('seeds', () => {
  const arm = (method: 'refocus' | 'finetune', seed: number, wrong: number) =>
    endedRun({ name: `${method} ${seed}`, method, seed, wrong: range(0, wrong) });
  const runs = [
    arm('refocus', 0, 10),
    arm('finetune', 0, 12),
    arm('refocus', 1, 11),
    arm('finetune', 1, 12),
    arm('finetune', 2, 30),
  ];

  test('are paired, those that both methods have', () => {
    const found = compareSeeds(runs[1], runs[0], runs)!;
    expect(found.seeds).toEqual([0, 1]);
    expect(found.arms.map(({ method }) => method)).toEqual(['finetune', 'refocus']);
    expect(found.paired).toEqual([expect.closeTo(0.02, 12), expect.closeTo(0.01, 12)]);
    expect(found.mean).toBeCloseTo(0.015, 12);
    // of two numbers: their distance by the root of two
    expect(found.deviation).toBeCloseTo(0.01 / Math.SQRT2, 12);
    expect(plain(seedsText(found))).toMatch(
      /^Over seeds 0, 1: fine-tuned 88\.00 % ± 0\.00, refocused 89\.50 % ± 0\.71 .* \+2\.00 points, \+1\.00 points; .*All seeds say that refocused was better/,
    );
  });

  test('are no comparison where one is all there is, or something else differs', () => {
    expect(compareSeeds(runs[1], runs[0], runs.slice(0, 2))).toBeUndefined();
    const other = endedRun({ method: 'refocus', changes: { classes: ['a', 'b', 'c'] } });
    expect(compareSeeds(runs[1], other, [...runs, other])).toBeUndefined();
  });

  test('have the deviation of a sample', () => {
    expect(meanAndDeviation([1, 2, 4])).toEqual({
      mean: 7 / 3,
      deviation: expect.closeTo(1.5275252316519468, 12),
    });
  });
});

describe('a report', () => {
  const EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>\u0000\u202e';

  function hostile(): EndedRun {
    const run = endedRun({ name: EVIL });
    const figures = { class: EVIL, images: 50, precision: 1, recall: 1, f1: 1, auc: 1 };
    run.report.evaluation.last = {
      confusion: [
        [50, 0],
        [1, 49],
      ],
      classes: [figures, figures],
      macro: { precision: 1, recall: 1, f1: 1 },
      wrong: [],
    };
    const { report } = run;
    report.classes = [EVIL, `${EVIL}2`];
    report.network = { ...report.network, source: EVIL, architecture: EVIL, publisher: EVIL };
    report.sources = { train: [EVIL], test: [EVIL] };
    report.sha256 = { in: { [EVIL]: EVIL }, out: { [EVIL]: EVIL } };
    report.adapter = report.version = report.date = EVIL;
    Object.assign(report.settings, { optimizer: EVIL, [EVIL]: EVIL, method: EVIL });
    run.redundancy.before = run.redundancy.before.map((layer) => ({ ...layer, name: EVIL }));
    return run;
  }

  test('holds what files and users say as text alone', () => {
    const other = endedRun({ name: `${EVIL}3`, wrong: [1] });
    for (const text of [reportHtml([hostile()]), reportHtml([hostile(), other], { title: EVIL })]) {
      expect(text).not.toMatch(/<script|<img src=x|\0/);
      expect(text).toContain('&lt;script&gt;alert(1)');
      // a value never leaves its attribute: each tag is one of ours, its attributes too
      const tags = [...text.matchAll(/<(\/?[a-z][a-z0-9]*)((?:\s+[a-zA-Z][\w-]*(?:="[^"]*")?)*)\s*\/?>/g)];
      expect(tags.length).toBe([...text.matchAll(/<[a-z/]/g)].length);
      expect(
        tags.flatMap(([, , attributes]) => attributes.replace(/"[^"]*"/g, '').match(/\son\w+/g) ?? []),
      ).toEqual([]);
    }
  });

  test('asks for nothing: no address but those of its own pictures', () => {
    const text = reportHtml([endedRun(), endedRun({ name: 'other', wrong: [1] })]);
    expect(text).toContain('default-src &#39;none&#39;');
    const targets = [...text.matchAll(/(?:src|href|url)\s*[=(]\s*"?([^"\s)]*)/g)].map(([, to]) => to);
    expect(targets.length).toBeGreaterThan(0);
    expect(targets.filter((to) => !to.startsWith('data:image/png;base64,'))).toEqual([]);
  });

  test('of one run says what it came to, by which settings, and what it does not show', () => {
    const text = plain(reportHtml([endedRun({ wrong: range(0, 10) })]));
    for (const said of [
      'Base</dt><dd>50.00 %',
      'Last</dt><dd>90.00 %',
      'The merge is proven.',
      'resnet20_cifar',
    ])
      expect(text).toContain(said);
    expect(text).toContain('takes a fine-tuned run beside it');
    expect(text.match(/<svg/g)).toHaveLength(2);
    expect(text.match(/<img/g)).toHaveLength(2);
  });

  test('of several has the table of arms, the verdict, curves over each other and what differs', () => {
    const runs = [
      endedRun({ name: 'refocused', wrong: range(0, 10) }),
      endedRun({ name: 'tuned', method: 'finetune', wrong: range(0, 20) }),
    ];
    const text = plain(reportHtml(runs, { reference: 1 }));
    expect(text).toContain('<bdi>tuned</bdi><small>finetune, seed 0</small>');
    expect(text).toContain('“refocused” against “tuned”: +10.00 points');
    expect(text.match(/<svg/g)).toHaveLength(6);
    expect(text).toMatch(/<tr><th scope="row">method<\/th>/);
  });

  test('of a run that has not ended says so', () => {
    const { report: _, ...run } = endedRun();
    expect(plain(reportHtml([run]))).toContain('has not come to an end: it is at step 3.');
    expect(plain(reportHtml([run, endedRun()]))).toContain('has not come to an end');
  });

  test('of a run whose loss is no number draws what there is', () => {
    const run = endedRun();
    run.metrics = run.metrics.map((point) => ({ ...point, loss: Number.NaN }));
    const text = reportHtml([run]);
    expect(text).not.toMatch(/(points|cx|cy|y1)="[^"]*NaN/);
  });
});

test('a template escapes its values, and them alone', () => {
  expect(html`<p title="${'"<&>\''}">${['<', html`<b>${1}</b>`]}${false}${undefined}</p>`.text).toBe(
    '<p title="&quot;&lt;&amp;&gt;&#39;">&lt;<b>1</b></p>',
  );
});

test('a layer is a picture of its divergences: dark where kernels are alike', async () => {
  const layer = redundancyOf('x', Float32Array.of(0, 0, 0, 3), [2, 1, 1, 2]);
  const [, there, back] = divergences(layer.kernels, 2);
  expect(back).toBeLessThan(there);
  const uri = heatmapUri(layer, there);
  const bytes = Uint8Array.from(atob(uri.slice('data:image/png;base64,'.length)), (c) => c.charCodeAt(0));
  const pixels = await png.decode(bytes, png.size(bytes));
  const at = (i: number) => [...pixels.subarray(3 * i, 3 * i + 3)];
  expect(at(0)).toEqual([68, 1, 84]); // viridis' first colour
  expect(at(3)).toEqual(at(0));
  expect(at(1)).toEqual([253, 231, 37]); // and its last
  expect(at(2)).not.toEqual(at(0));
});

test.each([
  [0, 1, [0, 0.5, 1]],
  [0, 100, [0, 50, 100]],
  [3, 3, [3]],
])('ticks from %d to %d are round', (low, high, wanted) => {
  const ticks = ticksOf(low, high);
  expect(ticks.filter((tick) => wanted.includes(tick))).toEqual(wanted);
  expect(ticks.length).toBeLessThanOrEqual(6);
});
