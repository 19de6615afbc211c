import { type ClassFigures, classFigures, type Prediction } from '../analysis/class-figures';
import { closeImages } from '../data/pixels';
import type { ImageSetReport } from '../data/report';
import { UserError } from '../errors';
import type { Gpu } from '../gpu/device';
import { evaluateNetwork } from '../train/evaluate';
import { parseSettings, type TrainSettings } from '../train/settings';
import { checkAnswers } from './check-classifier';
import { accuracyInOrder, orderSentence } from './class-orders';
import { asTrained, checkClasses, type DataSource, loadTestImages } from './data-source';
import type { TestEvent } from './job';
import type { ModelSource } from './loaded-network';
import { inImageOrder, isAnswer, NOT_FINITE } from './logits';
import { loadNetwork } from './network-source';

/** How test images are read and shown to a network; the settings of the same names say more. */
export interface EvaluateOptions {
  /** images at a time */
  batch?: number;
  /** of red, green and blue; default: what the network was made for */
  mean?: number[];
  std?: number[];
  /** at most so many images; default 0: all */
  limit?: number;
  /** side in pixels that images are resized to; default 0: their own */
  imageSize?: number;
  interpolation?: TrainSettings['interpolation'];
  cropPct?: TrainSettings['cropPct'];
  cropMode?: TrainSettings['cropMode'];
  classOrder?: TrainSettings['classOrder'];
  rename?: TrainSettings['rename'];
  exif?: TrainSettings['exif'];
}

/** What a network says of test images. */
export interface SourceEvaluation {
  accuracy: number;
  /** mean cross-entropy */
  loss: number;
  images: number;
  /** class by class */
  figures: ClassFigures;
  /** of every image, in the order of the set */
  predictions: Prediction[];
  /** how the weights were read */
  notes: string[];
  /** what was found in a source of files */
  report?: ImageSetReport;
}

/**
 * Tests a network on a source of images.
 * @param emit hears how far it has come
 * @throws UserError where either cannot be read, they do not fit each other, or an option is out of range
 */
export async function evaluateSource(
  gpu: () => Promise<Gpu>,
  source: ModelSource,
  test: DataSource,
  options: EvaluateOptions = {},
  emit: (event: TestEvent) => void = () => {},
): Promise<SourceEvaluation> {
  const network = await loadNetwork(source);
  checkAnswers(network);
  const { model, state, classes, file, notes } = network;
  const settings = asTrained(parseSettings(options), network);
  const tell = (doing: string) => (done: number, total: number) =>
    emit({ type: 'phase', phase: 'test', message: `${doing}: ${done} of ${total}`, share: done / total });
  const { images, report } = await loadTestImages(test, settings, classes, {
    onProgress: tell('Reading images'),
  });
  try {
    checkClasses(network, images);
    const { figures, logits } = await evaluateNetwork(await gpu(), model, state, images, {
      mean: options.mean ?? model.input.mean,
      std: options.std ?? model.input.std,
      batch: options.batch,
      keep: images.count,
      goOn: (done) => tell('Testing images')(done, images.count),
    });
    tell('Testing images')(images.count, images.count);
    if (report?.natural) {
      const natural = accuracyInOrder(images, report.natural, logits);
      report.warnings.push(orderSentence(figures.accuracy, natural));
    }
    const rows = inImageOrder(logits, images.count, model.head.classes);
    const wrong = rows.filter((row) => !isAnswer(row)).length;
    if (wrong > 0)
      throw new UserError(`${file} answers ${wrong} of ${images.count} images with ${NOT_FINITE}`);
    return { ...figures, images: images.count, ...classFigures(rows, images), notes, report };
  } finally {
    await closeImages(images);
  }
}
