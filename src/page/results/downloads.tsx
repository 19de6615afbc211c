/** The files of a run, and what each is for. */
import { useState } from 'preact/hooks';
import type { TrainResult } from '../../api';
import { explain } from '../engine';
import { download } from '../files';
import { lazy } from '../lazy';
import { failure } from '../run/state';
import { firstOf, hasOnnx } from './files';
import { metricsCsv } from './metrics-csv';

const OnnxFile = lazy(() => import('./onnx-file').then((part) => part.OnnxFile));

interface Offer {
  name: string;
  content: BlobPart | (() => Promise<Blob>);
  type: string;
  use: string;
  /** made of the merged network, so that it is held back where the merge is not proven */
  isNetwork: boolean;
}

const BINARY = 'application/octet-stream';

/** What the files beside the weights are for. */
const USES: Record<string, string> = {
  'labels.txt': 'the classes, in the order of the classifier’s rows',
  'check.py': 'builds the network in PyTorch, loads merged.safetensors and compares with check.safetensors',
  'check.safetensors': 'eight test images with the logits of the merged network, for check.py',
  'predictions.csv': 'what the merged network says of each test image',
  'best-predictions.csv': 'the same of the best network',
  'merged.onnx': 'your ONNX model with the merged weights',
  'best.onnx': 'the same with the weights of the best network',
  'base-predictions.csv': 'the same of the network you started from',
  'redundancy.safetensors': 'kernels of each layer before and after, for this page and the report',
  'merged.pth': 'the merged network as torch.save writes it',
  'best.pth': 'the best network as torch.save writes it',
  'unmerged.safetensors': 'kernels and maps apart, to go on training from',
  'unmerged.pth': 'kernels and maps apart, as torch.save writes them',
};

/** Files stand in one order, whether a run has just ended or is shown again. */
const placeOf = (name: string): number => Object.keys(USES).indexOf(name);

/** @param id of the run; absent where it is kept nowhere */
function offersOf(trained: TrainResult, id: string | undefined): Offer[] {
  const { report } = trained;
  const best =
    report.best === 'base'
      ? 'the network you started from: no epoch was better'
      : `the merged network of the best epoch, ${report.best}`;
  const offers: Offer[] = [
    {
      name: 'merged.safetensors',
      content: trained.merged,
      type: BINARY,
      use: 'the merged network after the last step, under your file’s names',
      isNetwork: true,
    },
    { name: 'best.safetensors', content: trained.best, type: BINARY, use: best, isNetwork: true },
    ...[...trained.files]
      .sort((a, b) => placeOf(a.name) - placeOf(b.name))
      .map(({ name, bytes }) => ({
        name,
        content: bytes,
        type: BINARY,
        use: Object.hasOwn(USES, name) ? USES[name] : '',
        isNetwork: true,
      })),
    {
      name: 'report.json',
      content: `${JSON.stringify(report, null, 2)}\n`,
      type: 'application/json',
      use: 'everything about the run; dropped on this page it brings the settings back',
      isNetwork: false,
    },
    {
      name: 'metrics.csv',
      content: metricsCsv(trained),
      type: 'text/csv',
      use: 'loss, accuracy and rate of every step, and every evaluation',
      isNetwork: false,
    },
  ];
  // a bundle of the command line may have its weights in another format alone
  const there = offers.filter(({ content }) => !(content instanceof Uint8Array) || content.length > 0);
  return id === undefined ? there : [...there, ...wholeRun(id)];
}

/** What is made of all of a run. */
const wholeRun = (id: string): Offer[] => [
  {
    name: 'report.html',
    content: async () => (await import('../saved/bundles')).reportOf(id),
    type: 'text/html',
    use: 'all of this for people to read: one file that opens from a disk, and prints',
    isNetwork: false,
  },
  {
    name: 'run.zip',
    content: async () => (await (await import('../saved/bundles')).exportRun(id)).blob,
    type: 'application/zip',
    use: 'the whole run: dropped on this page, here or elsewhere, it is listed again; refocus report reads it too',
    isNetwork: false,
  },
];

async function save({ name, content, type }: Offer): Promise<void> {
  try {
    download(name, typeof content === 'function' ? await content() : content, type);
  } catch (error) {
    failure.value = explain(error);
  }
}

/** What most people take home beside the network; the others stand folded. */
const MAIN = ['report.html', 'run.zip'];

/** @param isGain whether the merged network is one to take home */
export function Downloads({ trained, isGain, id }: { trained: TrainResult; isGain: boolean; id?: string }) {
  const [isAccepted, setAccepted] = useState(false);
  const { proof } = trained.report;
  const isOnnx = hasOnnx(trained);
  const first = firstOf(trained);
  const offers = offersOf(trained, id).sort((a, b) => Number(b.name === first) - Number(a.name === first));
  const isMain = ({ name }: Offer) => name === first || MAIN.includes(name);
  const others = offers.filter((offer) => !isMain(offer));
  const line = (offer: Offer) => (
    <li key={offer.name}>
      <button
        type="button"
        class={offer.name === first ? `button ${isGain ? 'primary' : ''}` : 'button small'}
        disabled={offer.isNetwork && !proof.ok && !isAccepted}
        onClick={() => save(offer)}
      >
        {offer.name === first && 'Download '}
        {offer.name}
      </button>
      <span class="hint">{offer.use}</span>
    </li>
  );
  return (
    <section class="downloads" aria-label="Downloads">
      {!proof.ok && (
        <label class="accept">
          <input
            type="checkbox"
            checked={isAccepted}
            onChange={(event) => setAccepted(event.currentTarget.checked)}
          />{' '}
          I want the files although they may not be the network that was trained.
        </label>
      )}
      <ul>{offers.filter(isMain).map(line)}</ul>
      <details class="other-files">
        <summary>
          Other files: the best network, predictions, figures{!isOnnx && ', ONNX'} (
          {others.length + Number(!isOnnx)})
        </summary>
        <ul>
          {others.map(line)}
          {!isOnnx && <OnnxFile trained={trained} isHeldBack={!proof.ok && !isAccepted} />}
        </ul>
      </details>
    </section>
  );
}
