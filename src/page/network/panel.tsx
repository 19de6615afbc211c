/** The network, layer by layer in order of execution: a picture of its graph that is a list too. */
import { useEffect } from 'preact/hooks';
import { parameterCount } from '../../model/model';
import { count, operations } from '../format';
import { isRunOfAnother } from '../redundancy/view';
import { hasMaps, maps } from '../settings/maps';
import { Detail } from './detail';
import { Tree } from './tree';
import { blockKeys, chosenItem, followModel, model, network, open, rows, search, sideText } from './view';

export function NetworkPanel() {
  useEffect(followModel, []);
  return (
    <section class="panel network" aria-labelledby="network-title">
      <h2 id="network-title">Network</h2>
      {model.value && (
        <>
          <Totals />
          {isRunOfAnother.value && (
            <p class="notice quiet" role="status">
              This is the network that is chosen in step 1; the run that is shown trained another.
            </p>
          )}
          <Controls />
          {network.value.error && <p class="error">{network.value.error}</p>}
          <div class="network-parts">
            <Tree />
            <div class="network-detail" aria-live="polite">
              {chosenItem.value && <Detail item={chosenItem.value} />}
            </div>
          </div>
        </>
      )}
    </section>
  );
}

function Totals() {
  const { items, side } = network.value;
  const total = items.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0);
  const convolutions = items.filter(({ layers: [first] }) => first.kind === 'conv').length;
  const mapped = maps.value.names.length;
  return (
    <p class="network-totals">
      <b>{model.value!.name}</b>: {count(convolutions)} convolutions, {count(parameterCount(model.value!))}{' '}
      parameters
      {total > 0 && (
        <>
          , {operations(total).replace('FLOP', '')} multiply-adds an image of {side}×{side}
        </>
      )}
      {hasMaps.value && <>; {mapped === 1 ? '1 convolution gets a map' : `${count(mapped)} get a map`}</>}
    </p>
  );
}

function Controls() {
  const isFound = search.value.trim() !== '';
  const isOpen = open.value.size > 0;
  return (
    <div class="network-controls">
      <div class="field">
        <label for="layer-search">Search</label>
        <input
          id="layer-search"
          type="text"
          autocomplete="off"
          spellcheck={false}
          placeholder="name or kind"
          value={search.value}
          onInput={(event) => {
            search.value = event.currentTarget.value;
          }}
        />
      </div>
      <div class="field">
        <label for="image-side">Images of</label>
        <div class="text">
          <input
            id="image-side"
            type="text"
            inputMode="numeric"
            autocomplete="off"
            placeholder={String(network.value.side)}
            value={sideText.value}
            aria-describedby="image-side-unit"
            onInput={(event) => {
              sideText.value = event.currentTarget.value;
            }}
          />
          <span class="unit" id="image-side-unit">
            pixels
          </span>
        </div>
      </div>
      {blockKeys.value.length > 0 && !isFound && (
        <button
          type="button"
          class="button small"
          onClick={() => {
            open.value = new Set(isOpen ? [] : blockKeys.value);
          }}
        >
          {isOpen ? 'Fold all blocks' : 'Unfold all blocks'}
        </button>
      )}
      {isFound && (
        <p class="hint" role="status">
          {rows.value.length === 1 ? '1 layer' : `${count(rows.value.length)} layers`} found
        </p>
      )}
    </div>
  );
}
