/** What is in the network: a tensor a row, and which convolutions get a map. */
import type { ComponentChildren } from 'preact';
import type { InspectLayer } from '../../api';
import { breakable } from '../breakable';
import { count, significant } from '../format';
import { config, setSetting } from '../settings/config';
import { inFormWords } from '../settings/form-words';
import { hasMaps, maps, toggleMap } from '../settings/maps';
import { preview } from './sources';

/** @param children stand between what was recognised and the tensors */
export function Layers({ children }: { children?: ComponentChildren }) {
  const found = preview.value;
  if (found.state === 'none') return null;
  if (found.state === 'reading') return <p class="hint">Reading the network …</p>;
  if (found.state === 'failed') {
    // a file of one's own has just been chosen; the built-in network nobody asked for yet
    return (
      <p class="error" role={config.value.source === 'own' ? 'alert' : undefined}>
        {found.why}
      </p>
    );
  }
  const trained = found.layers.filter(({ kind }) => kind !== 'buffer');
  const total = trained.reduce((sum, { parameters }) => sum + parameters, 0);
  return (
    <div class="layers">
      {found.notes.map((note) => (
        <p class="recognised" key={note}>
          {inFormWords(note)}
        </p>
      ))}
      {children}
      <details>
        <summary>
          {count(trained.length)} tensors, {count(total)} parameters
        </summary>
        <Table layers={trained} />
        {hasMaps.value ? <MapsNote /> : <p class="hint">{MEAN_KL}</p>}
      </details>
    </div>
  );
}

function Table({ layers }: { layers: readonly InspectLayer[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section class="scroll" tabIndex={0} aria-label="Layers of the network">
      <table>
        <thead>
          <tr>
            <th scope="col">Tensor</th>
            <th scope="col" class="number">
              Numbers
            </th>
            <th scope="col" class="number">
              Mean KL
            </th>
            {hasMaps.value && <th scope="col">Map</th>}
          </tr>
        </thead>
        <tbody>
          {layers.map((layer) => (
            <Row key={layer.name} layer={layer} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

const MEAN_KL =
  'Mean KL: how much the kernels of a layer differ from each other; 0 means that they say the same.';

function Row({ layer }: { layer: InspectLayer }) {
  const { name, kind, shape, parameters, redundancy } = layer;
  const isSpatial = shape.length === 4 && Math.max(shape[2], shape[3]) > 1;
  const convolution = name.replace(/\.weight$/, '');
  return (
    <tr>
      <th scope="row">
        {breakable(name)}
        <small>
          {kind} {shape.join('×')}
        </small>
      </th>
      <td class="number">{count(parameters)}</td>
      <td class="number">{redundancy === undefined ? '' : significant(redundancy.divergence)}</td>
      {hasMaps.value && (
        <td>
          {isSpatial && (
            <input
              type="checkbox"
              aria-label={`Map for ${convolution}`}
              checked={maps.value.names.includes(convolution)}
              onChange={() => toggleMap(convolution)}
            />
          )}
        </td>
      )}
    </tr>
  );
}

function MapsNote() {
  const { length } = maps.value.names;
  return (
    <p class="hint">
      {length === 1 ? '1 convolution gets a map' : `${length} convolutions get a map`}; tick others to choose
      them yourself.{' '}
      {config.value.settings.layers !== 'auto' && (
        <button type="button" class="link" onClick={() => setSetting('layers', 'auto')}>
          Choose automatically
        </button>
      )}{' '}
      {MEAN_KL}
    </p>
  );
}
