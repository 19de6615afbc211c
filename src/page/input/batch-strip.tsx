/** A training batch as the network sees it, drawn by the engine on request. */
import { signal } from '@preact/signals';
import type { BatchPreview } from '../../api';
import { UserError } from '../../errors';
import { useCanvas } from '../canvas';
import { engine, explain } from '../engine';
import { toImageData } from '../picture';
import { readSettings } from '../settings/config';
import { chosen, readData, readModel } from './sources';

const COUNT = 12;

/** A drawing, or why there is none, and the files that it is of. */
type Drawn = { of: typeof chosen.value } & ({ batch: BatchPreview } | { why: string });

const drawn = signal<Drawn | undefined>(undefined);
const isDrawing = signal(false);
/** each drawing is another epoch's */
let epoch = 0;

export function BatchStrip() {
  // that of other files would be taken for one of these
  const shown = drawn.value?.of === chosen.value ? drawn.value : undefined;
  return (
    <div class="batch-strip">
      <p class="row">
        <button type="button" class="button small" disabled={isDrawing.value} onClick={draw}>
          {shown ? 'Draw again' : 'Show a training batch'}
        </button>
        {isDrawing.value && <span role="status">Drawing</span>}
      </p>
      {shown && ('why' in shown ? <p class="error">{shown.why}</p> : <Batch batch={shown.batch} />)}
    </div>
  );
}

async function draw(): Promise<void> {
  const of = chosen.value;
  isDrawing.value = true;
  try {
    const job = { ...readData(), settings: readSettings(), model: network(), count: COUNT, epoch: epoch++ };
    drawn.value = { of, batch: await engine().previewBatch(job) };
  } catch (error) {
    drawn.value = { of, why: explain(error) };
  } finally {
    isDrawing.value = false;
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
