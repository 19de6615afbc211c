/** A training batch as the network sees it, drawn by the engine on request. */
import { signal } from '@preact/signals';
import type { BatchPreview } from '../../api';
import { UserError } from '../../errors';
import { useCanvas } from '../canvas';
import { engine, explain } from '../engine';
import { toImageData } from '../picture';
import { readSettings } from '../settings/config';
import { readData, readModel } from './sources';

const COUNT = 12;

type Shown =
  | { state: 'none' | 'drawing' }
  | { state: 'ready'; batch: BatchPreview }
  | { state: 'failed'; why: string };

const shown = signal<Shown>({ state: 'none' });
/** each drawing is another epoch's */
let epoch = 0;

export function BatchStrip() {
  const { state } = shown.value;
  return (
    <div>
      <p class="row">
        <button type="button" class="button" disabled={state === 'drawing'} onClick={draw}>
          {state === 'none' ? 'Show a batch as the network sees it' : 'Draw again'}
        </button>
        {state === 'drawing' && <span role="status">Drawing</span>}
      </p>
      {shown.value.state === 'failed' && <p class="error">{shown.value.why}</p>}
      {shown.value.state === 'ready' && <Batch batch={shown.value.batch} />}
    </div>
  );
}

async function draw(): Promise<void> {
  shown.value = { state: 'drawing' };
  try {
    const job = { ...readData(), settings: readSettings(), model: network(), count: COUNT, epoch: epoch++ };
    shown.value = { state: 'ready', batch: await engine().previewBatch(job) };
  } catch (error) {
    shown.value = { state: 'failed', why: explain(error) };
  }
}

/** The network may have a say in how images are prepared; without one they are shown all the same. */
function network() {
  try {
    return readModel();
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function Batch({ batch }: { batch: BatchPreview }) {
  return (
    <>
      <ul class="samples batch" aria-label="A training batch as the network sees it">
        {batch.labels.map((label, i) => (
          <li key={i}>
            <Image batch={batch} place={i} label={label} />
            <span>{label}</span>
          </li>
        ))}
      </ul>
      <p class="hint">{batch.augmentation}</p>
    </>
  );
}

function Image({ batch, place, label }: { batch: BatchPreview; place: number; label: string }) {
  const { pixels, width, height } = batch;
  const size = width * height * 3;
  const canvas = useCanvas(
    (context) =>
      context.putImageData(
        toImageData(pixels.subarray(place * size, (place + 1) * size), width, height),
        0,
        0,
      ),
    [batch, place],
  );
  return <canvas ref={canvas} width={width} height={height} role="img" aria-label={label} />;
}
