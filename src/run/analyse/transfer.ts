import { linearProbe, type ProbeSet } from '../../analysis/linear-probe';
import { wilsonInterval } from '../../analysis/uncertainty';
import { closeImages } from '../../data/pixels';
import type { LabelledImages } from '../../data/types';
import { UserError } from '../../errors';
import { networkFeatures } from '../../train/features';
import { evaluationRows } from '../../train/held';
import { defaultSettings } from '../../train/settings';
import { type DataSource, loadRunImages } from '../data-source';
import { namesOf } from '../run-record';
import type { AnalysisContext, Subject } from './context';
import type { TransferResult } from './result';

/** Images that a probe needs to be fitted. */
const FEWEST = 20;

/**
 * A linear probe of each network's last features, averaged over their pixels, on images that it need not have been trained for: fitted
 * to the source's training images, tested on its test images.
 */
export async function analyseTransfer(source: DataSource, context: AnalysisContext): Promise<TransferResult> {
  const { images, numbers, subjects } = context;
  const settings = { ...defaultSettings(), imageSize: images.height, limit: numbers.images };
  const own = source.kind === 'builtin' ? { ...source, split: 'test' as const } : undefined;
  const { train, test } = await loadRunImages(
    { train: own ? { ...own, split: 'train' } : source, test: own },
    settings,
    {},
  );
  try {
    if (train.count < FEWEST)
      throw new UserError(`A linear probe needs ${FEWEST} images to be fitted to, not ${train.count}.`);
    const networks: TransferResult['networks'] = [];
    for (const subject of subjects) {
      const fitted = await setOf(subject, train, context);
      const probe = linearProbe(fitted, await setOf(subject, test, context), train.classes.length);
      const right = Math.round(probe.accuracy * test.count);
      networks.push({ ...probe, interval: wilsonInterval(right, test.count) });
    }
    const counts = train.classes.map((_, c) => test.labels.filter((label) => label === c).length);
    return {
      source: namesOf(source).join(', '),
      classes: train.classes,
      images: { train: train.count, test: test.count },
      chance: Math.max(...counts) / test.count,
      networks,
    };
  } finally {
    await closeImages(train, test);
  }
}

async function setOf(
  { model, state }: Subject,
  images: LabelledImages,
  { gpu, normalisation, goOn }: AnalysisContext,
): Promise<ProbeSet> {
  const features: Float32Array[] = new Array(images.count);
  const batch = evaluationRows(images);
  const options = { ...normalisation, batch, values: [model.features], side: 1, goOn: () => goOn(batch) };
  for await (const {
    images: some,
    features: [all],
  } of networkFeatures(gpu, model, state, images, options)) {
    const width = all.length / some.length;
    for (const [row, image] of some.entries()) features[image] = all.subarray(row * width, (row + 1) * width);
  }
  return { features, labels: images.labels };
}
