/** Heatmaps of one layer's channel redundancy, before and after. */
import { useMemo, useState } from 'preact/hooks';
import { planeOf } from '../../analysis/redundancy';
import type { LayerRedundancy } from '../../api';
import { useCanvas } from '../canvas';
import { count, significant } from '../format';
import { preview } from '../input/sources';
import { redundancy } from '../run/state';
import { FieldInput } from '../settings/field';
import { maps } from '../settings/maps';
import { heatPixels, palette, scaleTop } from './heat-scale';

/** Row and column of D: from kernel i to kernel j. */
interface Cell {
  i: number;
  j: number;
}

const choiceOf = ({ name, planes, kernels, kernelSize }: LayerRedundancy) => ({
  value: name,
  label: `${name} (${kernels < planes ? `${count(kernels)} of ` : ''}${count(planes)} kernels of ${kernelSize.join('×')})`,
});

/** A kernel by its channels: of a depthwise layer by its one. */
function kernelName(layer: LayerRedundancy, i: number): string {
  const plane = planeOf(layer, i);
  if (layer.inputs === 1) return String(plane);
  return `out ${Math.floor(plane / layer.inputs)} in ${plane % layer.inputs}`;
}

export function Redundancy() {
  const { after } = redundancy.value;
  // before a run: of the network that is chosen
  const seen = preview.value;
  const ofRun = redundancy.value.before;
  const before = ofRun.length === 0 && seen.state === 'ready' ? seen.redundancy : ofRun;
  const [chosen, setChosen] = useState('');
  const byName = (isIt: (name: string) => boolean) => before.find(({ name }) => isIt(name));
  // at first one that a map changes
  const refocused = byName((name) => maps.value.names.includes(name));
  const first = byName((name) => name === chosen) ?? refocused ?? before[0];
  const second = after.find(({ name }) => name === first?.name);
  return (
    <section class="panel redundancy" aria-labelledby="redundancy-title">
      <h2 id="redundancy-title">Channel redundancy</h2>
      <div class="redundancy-words">
        <p class="formula">
          <var>P</var>
          <sub>i</sub> = softmax of kernel i’s K·K weights, <var>D</var>(i, j) = Σ <var>P</var>
          <sub>i</sub> log(<var>P</var>
          <sub>i</sub> / <var>P</var>
          <sub>j</sub>)
        </p>
        <p class="hint">
          Each pixel compares two kernels of a layer.{' '}
          {first
            ? 'Dark pairs say the same thing. The method’s authors report lighter pictures after training; here you see whether yours is.'
            : 'The picture appears as soon as a network is chosen that has a convolution larger than 1×1.'}
        </p>
        {first && (
          <FieldInput
            id="heat-layer"
            field={{ label: 'Layer', choices: before.map(choiceOf) }}
            value={first.name}
            onValue={setChosen}
          />
        )}
      </div>
      {first && <Pair before={first} after={second} />}
    </section>
  );
}

function Pair({ before, after }: { before: LayerRedundancy; after?: LayerRedundancy }) {
  const [cell, setCell] = useState<Cell | undefined>(undefined);
  const [isByKey, setByKey] = useState(false);
  const onCell = (next: Cell | undefined, byKey: boolean) => {
    setByKey(byKey);
    setCell(next);
  };
  const top = useMemo(
    () => scaleTop(after ? [before.divergence, after.divergence] : [before.divergence]),
    [before, after],
  );
  const shown = cell && cell.i < before.kernels && cell.j < before.kernels ? cell : undefined;
  return (
    <div class="redundancy-pair">
      <div class="heatmaps">
        <Heatmap title="before" layer={before} top={top} cell={shown} onCell={onCell} />
        {after ? (
          <Heatmap title="after" layer={after} top={top} cell={shown} onCell={onCell} />
        ) : (
          <div class="heatmap waiting">
            <p class="hint">after training</p>
          </div>
        )}
      </div>
      <Legend top={top} />
      {/* read aloud for the keyboard: a pointer passes over too many pairs */}
      <p class="readout" aria-live={isByKey ? 'polite' : 'off'}>
        {shown ? readOut(shown, before, after) : 'Point at a pair, or focus a map and use the arrow keys.'}
      </p>
    </div>
  );
}

function readOut({ i, j }: Cell, before: LayerRedundancy, after?: LayerRedundancy): string {
  const value = (layer: LayerRedundancy) => significant(layer.divergence[i * layer.kernels + j]);
  return `D(${kernelName(before, i)}, ${kernelName(before, j)}) = ${value(before)} before${after ? `, ${value(after)} after` : ''}`;
}

interface HeatmapProps {
  title: string;
  layer: LayerRedundancy;
  top: number;
  cell?: Cell;
  onCell: (cell: Cell | undefined, byKey: boolean) => void;
}

const moves: Record<string, [number, number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

function Heatmap({ title, layer, top, cell, onCell }: HeatmapProps) {
  const n = layer.kernels;
  const canvas = useCanvas(
    (context) => context.putImageData(new ImageData(heatPixels(layer.divergence, top), n, n), 0, 0),
    [layer, top, n],
  );
  const limit = (index: number) => Math.max(0, Math.min(n - 1, index));
  const onPointer = (event: PointerEvent) => {
    const box = canvas.current!.getBoundingClientRect();
    onCell(
      {
        i: limit(Math.floor(((event.clientY - box.top) / box.height) * n)),
        j: limit(Math.floor(((event.clientX - box.left) / box.width) * n)),
      },
      false,
    );
  };
  const onKey = (event: KeyboardEvent) => {
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    const { i, j } = cell ?? { i: 0, j: 0 };
    onCell({ i: limit(i + move[0]), j: limit(j + move[1]) }, true);
  };
  return (
    <figure class="heatmap">
      <div class="heat-frame">
        <canvas
          ref={canvas}
          width={n}
          height={n}
          class={n <= 128 ? 'pixelated' : undefined}
          role="img"
          tabIndex={0}
          aria-label={`${layer.name} ${title}: mean divergence ${significant(layer.mean)} nats`}
          onPointerMove={onPointer}
          onPointerLeave={(event) => event.pointerType === 'mouse' && onCell(undefined, false)}
          onKeyDown={onKey}
        />
        {cell && <Crosshair cell={cell} n={n} />}
      </div>
      <figcaption>
        <span>{title}</span> mean <b>{significant(layer.mean)}</b>
      </figcaption>
    </figure>
  );
}

function Crosshair({ cell, n }: { cell: Cell; n: number }) {
  const at = (index: number) => `${(100 * (index + 0.5)) / n}%`;
  return (
    <>
      <i class="hair row-hair" style={{ top: at(cell.i) }} />
      <i class="hair column-hair" style={{ left: at(cell.j) }} />
    </>
  );
}

/** The colour scale, the same for both maps. */
function Legend({ top }: { top: number }) {
  const canvas = useCanvas(
    (context) => context.putImageData(new ImageData(palette.slice(), 256, 1), 0, 0),
    [],
  );
  return (
    <div class="legend">
      <span>0, the same</span>
      <canvas ref={canvas} width={256} height={1} role="img" aria-label="Colour scale, dark to light" />
      <span>≥ {significant(top)} nats</span>
    </div>
  );
}
