/** The files of a run, and what each is for. */
import { useState } from 'preact/hooks';
import type { TrainResult } from '../../api';
import { toCsv } from '../csv';
import { download } from '../files';
import { lazy } from '../lazy';

const OnnxFile = lazy(() => import('./onnx-file').then((part) => part.OnnxFile));

interface Offer {
  name: string;
  content: BlobPart;
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
  'merged.pth': 'the merged network as torch.save writes it',
  'best.pth': 'the best network as torch.save writes it',
  'unmerged.safetensors': 'kernels and maps apart, to go on training from',
  'unmerged.pth': 'kernels and maps apart, as torch.save writes them',
};

function offersOf(trained: TrainResult): Offer[] {
  const { report } = trained;
  const best =
    report.best === 'base'
      ? 'the network you started from: no epoch was better'
      : `the merged network of the best epoch, ${report.best}`;
  return [
    {
      name: 'merged.safetensors',
      content: trained.merged,
      type: BINARY,
      use: 'the merged network after the last step, under your file’s names',
      isNetwork: true,
    },
    { name: 'best.safetensors', content: trained.best, type: BINARY, use: best, isNetwork: true },
    ...trained.files.map(({ name, bytes }) => ({
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
}

/** @param isGain whether the merged network is one to take home */
export function Downloads({ trained, isGain }: { trained: TrainResult; isGain: boolean }) {
  const [isAccepted, setAccepted] = useState(false);
  const { proof } = trained.report;
  const isOnnx = trained.files.some(({ name }) => name === 'merged.onnx');
  const first = firstOf(trained.report, isOnnx ? 'onnx' : 'safetensors');
  const offers = offersOf(trained).sort((a, b) => Number(b.name === first) - Number(a.name === first));
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
      <ul>
        {offers.map(({ name, content, type, use, isNetwork }, i) => (
          <li key={name}>
            <button
              type="button"
              class={i === 0 ? `button ${isGain ? 'primary' : ''}` : 'button small'}
              disabled={isNetwork && !proof.ok && !isAccepted}
              onClick={() => download(name, content, type)}
            >
              {i === 0 && 'Download '}
              {name}
            </button>
            <span class="hint">{use}</span>
          </li>
        ))}
        {!isOnnx && <OnnxFile trained={trained} isHeldBack={!proof.ok && !isAccepted} />}
      </ul>
    </section>
  );
}

/** The file to take home: where the last network lost and the best gained, the best. */
function firstOf({ accuracy: { base, last }, best }: TrainResult['report'], ending: string): string {
  const isLoss = base !== undefined && last <= base;
  return `${isLoss && best !== 'base' ? 'best' : 'merged'}.${ending}`;
}

/** Every step, and every evaluation as a row of its own. */
function metricsCsv({ metrics, evals }: TrainResult): string {
  const header = ['step', 'epoch', 'loss', 'accuracy', 'lr', 'test_loss', 'test_accuracy'];
  const rows = [
    ...metrics.map((p) => [p.step, p.epoch, p.loss, p.accuracy, p.lr, null, null]),
    ...evals.map((p) => [p.step, p.epoch, null, null, null, p.loss, p.accuracy]),
  ].sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
  return toCsv(header, rows);
}
