/** One layer: its kernels drawn, what its numbers are like, and its options. */
import { useEffect, useState } from 'preact/hooks';
import type { TensorDetail } from '../../api';
import { UserError } from '../../errors';
import { frozenParameters } from '../../train/freeze';
import { parseSetting } from '../../train/settings';
import { breakable } from '../breakable';
import { useCanvas } from '../canvas';
import { engine, explain } from '../engine';
import { count, operations, percent, significant } from '../format';
import { preview, readModel } from '../input/sources';
import { bringToTop } from '../place';
import { mapPixelsOf } from '../redundancy/colours';
import { Kernel, kernelScale } from '../redundancy/kernel';
import { isRunOfAnother, lookAt, openLayer } from '../redundancy/view';
import { isUnderWay } from '../run/state';
import { config, setSetting } from '../settings/config';
import { hasMaps, maps, toggleMap } from '../settings/maps';
import type { Item } from './items';
import { model } from './view';

export function Detail({ item }: { item: Item }) {
  const { name, kind, shape, parameters, multiplyAdds, tensors } = item;
  return (
    <>
      <h3>{breakable(name)}</h3>
      <p class="hint">
        {kind}; output {shape.join('×')}
        {parameters > 0 && `; ${count(parameters)} parameters`}
        {multiplyAdds > 0 && `; ${operations(multiplyAdds).replace('FLOP', '')} multiply-adds an image`}
      </p>
      <Options item={item} />
      {tensors.length > 0 && <Tensors key={tensors.join()} names={tensors} />}
    </>
  );
}

/** @returns undefined while the engine looks */
function useTensors(names: readonly string[]): TensorDetail[] | string | undefined {
  const [found, setFound] = useState<TensorDetail[] | string>();
  useEffect(() => {
    let isGone = false;
    setFound(undefined);
    const told = (answer: TensorDetail[] | string) => {
      if (!isGone) setFound(answer);
    };
    engine()
      .tensors(readModel(), names)
      .then(told, (error) => told(explain(error)));
    return () => {
      isGone = true;
    };
  }, [names.join(), preview.value]);
  return found;
}

function Tensors({ names }: { names: readonly string[] }) {
  const found = useTensors(names);
  if (found === undefined) return <p class="hint">Reading its numbers …</p>;
  if (typeof found === 'string') return <p class="error">{found}</p>;
  const drawn = found.find(({ kernels, matrix }) => kernels || matrix);
  return (
    <>
      {drawn && <Weights tensor={drawn} />}
      <div class="tensor-list">
        {found.map((tensor) => (
          <Numbers key={tensor.name} tensor={tensor} />
        ))}
      </div>
    </>
  );
}

/** The kernels of a convolution, or the matrix of a layer without. */
function Weights({ tensor: { kernels, matrix, shape } }: { tensor: TensorDetail }) {
  if (kernels) {
    const { drawn, weights, height, width } = kernels;
    const taps = height * width;
    const planes = shape[0] * shape[1];
    const scale = kernelScale(weights);
    return (
      <figure>
        <div class="kernel-grid">
          {Array.from(drawn, (plane, row) => (
            <Kernel
              key={plane}
              weights={weights.subarray(row * taps, (row + 1) * taps)}
              height={height}
              width={width}
              scale={scale}
              label={
                shape[1] === 1
                  ? `Channel ${plane}`
                  : `Output ${Math.floor(plane / shape[1])} input ${plane % shape[1]}`
              }
            />
          ))}
        </div>
        <figcaption class="hint">
          {drawn.length < planes ? `${count(drawn.length)} of ${count(planes)}` : `All ${count(planes)}`}{' '}
          kernels; blue to red: −{significant(scale.to)} to {significant(scale.to)}
        </figcaption>
      </figure>
    );
  }
  return matrix ? <Matrix matrix={matrix} shape={shape} /> : null;
}

function Matrix({
  matrix,
  shape,
}: {
  matrix: NonNullable<TensorDetail['matrix']>;
  shape: readonly number[];
}) {
  const { rows, columns, values } = matrix;
  const scale = kernelScale(values);
  const canvas = useCanvas(
    (context) => context.putImageData(new ImageData(mapPixelsOf(values, scale), columns, rows), 0, 0),
    [values],
  );
  const isPart = rows < shape[0] || columns < shape[1];
  return (
    <figure>
      <canvas
        ref={canvas}
        class="matrix pixelated"
        width={columns}
        height={rows}
        role="img"
        aria-label={`Weights, ${shape[0]} outputs by ${shape[1]} inputs`}
      />
      <figcaption class="hint">
        {isPart && `${count(rows)}×${count(columns)} of `}
        {count(shape[0])} outputs down, {count(shape[1])} inputs across; blue to red: −{significant(scale.to)}{' '}
        to {significant(scale.to)}
      </figcaption>
    </figure>
  );
}

function Numbers({ tensor }: { tensor: TensorDetail }) {
  const { name, shape, count: n, min, max, mean, std, zeros, notFinite, histogram } = tensor;
  const most = Math.max(...histogram);
  const figures: [string, string][] = [
    ['min', significant(min)],
    ['max', significant(max)],
    ['mean', significant(mean)],
    ['std', significant(std)],
    ['zeros', percent(zeros / n, 1)],
  ];
  return (
    <section class="tensor" aria-label={name}>
      <p class="tensor-name">
        {breakable(name)} <small>{shape.join('×') || 'one number'}</small>
      </p>
      {notFinite > 0 && <p class="error">{count(notFinite)} of its numbers are not finite.</p>}
      <svg
        class="histogram"
        viewBox={`0 0 ${histogram.length} 20`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Histogram from ${significant(min)} to ${significant(max)}: ${[...histogram].join(', ')}`}
      >
        {Array.from(histogram, (value, bin) => {
          const height = most > 0 ? (20 * value) / most : 0;
          return <rect key={bin} x={bin} y={20 - height} width={0.9} height={height} />;
        })}
      </svg>
      <dl>
        {figures.map(([term, value]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Options({ item }: { item: Item }) {
  const [first] = item.layers;
  const isSpatial = first.kind === 'conv' && Math.max(first.shape[2], first.shape[3]) > 1;
  const modules = modulesOf(item);
  const frozen = frozenNow();
  return (
    <fieldset class="plain layer-options" disabled={isUnderWay.value}>
      <legend class="sr-only">Options of {item.name}</legend>
      {isSpatial && hasMaps.value && (
        <label class="check">
          <input
            type="checkbox"
            checked={maps.value.names.includes(item.name)}
            onChange={() => toggleMap(item.name)}
          />{' '}
          Refocus this layer
        </label>
      )}
      {modules.length > 0 && frozen && (
        <label class="check">
          <input
            type="checkbox"
            checked={modules.every((name) => frozen.has(name))}
            onChange={(event) => freeze(modules, event.currentTarget.checked)}
          />{' '}
          Freeze it{item.layers.length > 1 && modules.length > 1 && ', with its norm'}
        </label>
      )}
      {isSpatial && (
        <button
          type="button"
          class="link"
          onClick={() => {
            openLayer.value = item.name;
            if (isRunOfAnother.value) lookAt('chosen');
            const title = document.getElementById('redundancy-title');
            const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;
            if (title) bringToTop(title, isStill ? 'auto' : 'smooth');
          }}
        >
          Its redundancy
        </button>
      )}
    </fieldset>
  );
}

/** The modules of an item that have parameters. */
const modulesOf = ({ tensors, layers }: Item): string[] =>
  layers.flatMap((layer) => {
    const name = layer.kind === 'mul' ? layer.weight : layer.name;
    const has = tensors.some((tensor) => tensor === name || tensor.startsWith(`${name}.`));
    return name !== undefined && has ? [name] : [];
  });

/** Modules whose parameters are all frozen by the form as it stands; undefined where that is not for single layers to say. */
function frozenNow(): ReadonlySet<string> | undefined {
  const { freeze: text } = config.value.settings;
  if (!model.value || text === 'all-but-maps') return undefined;
  try {
    const names = frozenParameters(model.value, { freeze: parseSetting('freeze', text) });
    const frozen = new Set<string>();
    const all = new Map<string, string[]>();
    for (const { name, role } of model.value.state) {
      if (role !== 'parameter') continue;
      for (const module of [name, name.slice(0, name.lastIndexOf('.'))])
        all.set(module, [...(all.get(module) ?? []), name]);
    }
    for (const [module, own] of all) if (own.every((name) => names.has(name))) frozen.add(module);
    return frozen;
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** From then on what is frozen is named module by module. */
function freeze(modules: readonly string[], isOn: boolean): void {
  const now = frozenNow()!;
  const named = model
    .value!.layers.flatMap((layer) => (layer.kind === 'mul' ? (layer.weight ?? []) : (layer.name ?? [])))
    .filter((name) => (modules.includes(name) ? isOn : now.has(name)));
  setSetting('freeze', [...new Set(named)].join(',') || 'none');
}
