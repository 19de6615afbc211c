import { openFeed } from '../data/feed';
import { trainingOrder } from '../data/order';
import { cropOf, ofChannels } from '../data/pixels';
import type { Gpu } from '../gpu/device';
import { Session } from '../runtime/session';
import { augmentationSentence } from '../train/augmentation';
import { decideSettings } from '../train/decide';
import { previewPlan } from '../train/preview';
import type { TrainSettings } from '../train/settings';
import { asTrained, type DataSource, loadSample } from './data-source';
import type { ModelSource } from './loaded-network';
import { loadNetwork } from './network-source';

/** What a preview is of: a run's images and settings, and its network, which may have a say in how images are prepared. */
export interface PreviewJob {
  train: DataSource;
  settings: TrainSettings;
  model?: ModelSource;
  /** images that are shown; default 16 */
  count?: number;
  /** whose random numbers are drawn; default 0, the first */
  epoch?: number;
}

/** A batch as a network sees it in training, before it is normalised. */
export interface BatchPreview {
  /** of an image, pixels */
  width: number;
  height: number;
  /** RGB bytes of all images, one after the other */
  pixels: Uint8Array<ArrayBuffer>;
  /** the class of each; of an image that is mixed of two both, its own first */
  labels: string[];
  /** what was done to the images, a sentence */
  augmentation: string;
}

/** Statistics of ImageNet: of a network that is not known they are what is most likely. */
const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
/** More images than any screen has room for. */
const MOST = 256;

/**
 * A batch of a few training images, evenly of all classes, by the very shaders of a training step.
 * @throws UserError where network or images cannot be read
 */
export async function previewBatch(gpu: () => Promise<Gpu>, job: PreviewJob): Promise<BatchPreview> {
  const network = job.model && (await loadNetwork(job.model));
  const asked = asTrained(job.settings, network ?? {});
  const wanted = Math.min(Math.max(1, job.count ?? 16), MOST);
  // of more images than are shown another epoch shows others
  const { images, available } = await loadSample(job.train, asked, 4 * wanted);
  const { height, width } = cropOf(images);
  const batch = Math.min(wanted, images.count);
  const decided = decideSettings(asked, {
    input: network?.model.input ?? IMAGENET,
    images: available,
    side: Math.max(height, width),
  });
  const epoch = job.epoch ?? 0;
  const order = trainingOrder(images.count, decided.seed, epoch);
  const device = await gpu();
  const model = network?.model;
  const { plan, isMixed } = previewPlan({ train: images, settings: decided, batch, model }, device.tuning);
  const session = await Session.create(device, { show: plan });
  try {
    const feed = await openFeed(session, 'train', images, images.count);
    feed.begin(order);
    session.run('show', { seed: decided.seed, epoch, rows: batch });
    const [shown] = await session.read('output:shown');
    const channels = model?.input.channels ?? 3;
    const [mean, std] = [ofChannels(decided.mean, channels), ofChannels(decided.std, channels)];
    const pixels = new Uint8Array(batch * height * width * 3);
    for (let i = 0; i < pixels.length; i++) {
      // a gray is shown as three equal colours
      const channel = channels === 1 ? 0 : i % 3;
      const value = shown[Math.floor(i / 3) * 4 + channel] * std[channel] + mean[channel];
      pixels[i] = Math.round(Math.min(Math.max(value, 0), 1) * 255);
    }
    const names = Array.from({ length: batch }, (_, n) => images.classes[images.labels[order[n]]]);
    const labels = isMixed ? names.map((name, n) => `${name} + ${names[(n + batch - 1) % batch]}`) : names;
    return { width, height, pixels, labels, augmentation: augmentationSentence(decided) };
  } finally {
    session.destroy();
  }
}
