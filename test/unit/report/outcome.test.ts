import { expect, test } from 'vitest';
import type { Report } from '../../../src/api';
import { outcomeOf } from '../../../src/report/outcome';
import { fakeReport } from '../cli/fake';

/** The outcome of a run with these accuracies, and flips between its best network and its base. */
function outcome(
  accuracy: Report['accuracy'],
  flips?: { gained: number; lost: number; p: number },
  changes: Partial<Report> = {},
) {
  const report = fakeReport(true);
  return outcomeOf({
    ...report,
    accuracy,
    uncertainty: { ...report.uncertainty, ...(flips && { flips: { last: flips, best: flips } }) },
    ...changes,
  });
}

test('a gain that chance does not explain is good', () => {
  const { tone, title, text } = outcome(
    { base: 0.5, last: 0.55, best: 0.6 },
    { gained: 30, lost: 9, p: 0.001 },
  );
  expect([tone, title]).toEqual(['good', '+10.00\u00a0points at its best']);
  expect(text).toMatch(/^30 test images gained, 9 lost .*p = 0\.001/);
});

test('a gain in a file that is not proven is no reason to be glad', () => {
  const changes = { proof: { ...fakeReport(true).proof, ok: false } };
  const flips = { gained: 30, lost: 9, p: 0.001 };
  for (const found of [flips, undefined])
    expect(outcome({ base: 0.5, last: 0.55, best: 0.6 }, found, changes).tone).toBe('neutral');
});

test('a gain that chance explains is not', () => {
  const { tone, title } = outcome({ base: 0.5, last: 0.5, best: 0.52 }, { gained: 9, lost: 7, p: 0.8 });
  expect([tone, title]).toEqual(['neutral', '+2.00\u00a0points at its best, which may be chance']);
});

test.each([
  ['the base is best', { base: 0.5, last: 0.4, best: 0.5 }, { best: 'base' as const }],
  ['the best is no better', { base: 0.5, last: 0.5, best: 0.5 }, {}],
])('where %s, the network is kept', (_, accuracy, changes) => {
  expect(outcome(accuracy, { gained: 0, lost: 0, p: 1 }, changes)).toMatchObject({
    tone: 'neutral',
    title: 'No gain: keep your network',
  });
});

test('a new classifier has nothing to be compared with, and says what would be', () => {
  const { tone, text } = outcome({ last: 0.9, best: 0.9 });
  expect(tone).toBe('neutral');
  expect(text).toContain('fine-tuning as long');
});

test('a run that diverged is bad whatever its best epoch was, and a lower rate is named', () => {
  const { settings } = fakeReport(true);
  const { tone, text } = outcome({ base: 0.5, last: 0.4, best: 0.6 }, undefined, {
    ended: 'diverged',
    settings: { ...settings, lr: 0.3 },
  });
  expect(tone).toBe('bad');
  expect(text).toContain('Try a learning rate of 0.03.');
  expect(text).toContain('left all bounds');
});

test('a run whose numbers were no longer finite says where that began', () => {
  const { settings } = fakeReport(true);
  const { text } = outcome({ base: 0.5, last: 0.4, best: 0.6 }, undefined, {
    ended: 'diverged',
    settings,
    nonFinite: { step: 7, pass: 'backward', layer: 'features.3.conv.0.0', kind: 'conv2d_backward_weight' },
  });
  expect(text).toMatch(/^In step 7 .* gradient .* came out of features\.3\.conv\.0\.0 /);
});
