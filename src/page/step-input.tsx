/** Step 1: the network and the images. */
import { architectureNames } from '../nn/models';
import { config, labels, networkError, setNetwork } from './config';
import { Drop } from './drop';
import { SelectField, TextField } from './field';
import { count, significant } from './format';
import { checkpoint, inspection, testFiles, trainFiles } from './input';
import { isBusy } from './run';
import { Samples } from './samples';
import type { Source } from './url';

export function StepInput() {
  const { source } = config.value;
  return (
    <fieldset class="plain" disabled={isBusy.value}>
      <legend class="sr-only">Network and images</legend>
      <div class="segments">
        <SourceOption value="builtin" name="Built-in example" />
        <SourceOption value="own" name="Your own" />
      </div>
      {source === 'builtin' ? <BuiltIn /> : <Own />}
    </fieldset>
  );
}

function SourceOption({ value, name }: { value: Source; name: string }) {
  return (
    <label class="segment">
      <input
        type="radio"
        name="source"
        value={value}
        checked={config.value.source === value}
        onChange={() => {
          config.value = { ...config.value, source: value };
        }}
      />
      <span>{name}</span>
    </label>
  );
}

function BuiltIn() {
  return (
    <>
      <p>
        A short and narrow <b>MobileNetV2</b>, trained by this engine on a procedural image set: ten classes
        of shapes and textures, 32 × 32 pixels, 10,000 for training and 2,000 for the test. Small enough to
        watch, hard enough to leave room above the base.
      </p>
      <Samples />
    </>
  );
}

function Own() {
  const { network } = config.value;
  const names = architectureNames().map((name) => [name, name] as const);
  return (
    <>
      <h3>Network</h3>
      <SelectField
        id="arch"
        label={labels.arch}
        value={network.arch}
        options={names}
        error={networkError('arch')}
        onValue={(value) => setNetwork('arch', value)}
      />
      <div class="fields">
        <TextField
          id="width"
          label={labels.width}
          value={network.width}
          placeholder="1"
          numeric
          error={networkError('width')}
          onValue={(value) => setNetwork('width', value)}
        />
        <SelectField
          id="stemStride"
          label={labels.stemStride}
          value={network.stemStride}
          options={[
            ['', 'as published'],
            ['1', '1, for images of 32 px'],
            ['2', '2'],
          ]}
          error={networkError('stemStride')}
          onValue={(value) => setNetwork('stemStride', value)}
        />
      </div>
      <Drop
        id="checkpoint"
        label="Checkpoint"
        hint="Drop a state dict: .safetensors, .pt, .pth or .th. Nothing in it is executed."
        accept=".safetensors,.pt,.pth,.th"
        single
        files={checkpoint.value ? [checkpoint.value] : []}
        onFiles={([file]) => {
          checkpoint.value = file;
        }}
      />
      <Layers />
      <h3>Images</h3>
      <Drop
        id="train"
        label="Training images"
        hint="Drop a zip or a folder with one folder a class (JPEG, PNG, WebP), CIFAR-10 binary batches or an IDX pair."
        files={trainFiles.value}
        onFiles={(files) => {
          trainFiles.value = files;
        }}
      />
      <Drop
        id="test"
        label="Test images (optional)"
        hint="Without them a tenth of the training images is held out."
        files={testFiles.value}
        onFiles={(files) => {
          testFiles.value = files;
        }}
      />
    </>
  );
}

/** What is in the checkpoint: a tensor a row. */
function Layers() {
  const found = inspection.value;
  if (found.state === 'none') return null;
  if (found.state === 'reading') return <p class="hint">Reading the checkpoint …</p>;
  if (found.state === 'failed') {
    return (
      <p class="error" role="alert">
        {found.why}
      </p>
    );
  }
  const trained = found.layers.filter(({ kind }) => kind !== 'buffer');
  const total = trained.reduce((sum, { parameters }) => sum + parameters, 0);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section class="scroll" tabIndex={0} aria-label="Layers of the checkpoint">
      <table>
        <caption>
          {count(trained.length)} tensors, {count(total)} parameters
        </caption>
        <thead>
          <tr>
            <th scope="col">Tensor</th>
            <th scope="col">Shape</th>
            <th scope="col" class="number">
              Numbers
            </th>
            <th scope="col" class="number">
              Mean KL
            </th>
          </tr>
        </thead>
        <tbody>
          {trained.map((layer) => (
            <tr key={layer.name}>
              <th scope="row">
                {layer.name} <small>{layer.kind}</small>
              </th>
              <td>{layer.shape.join('×')}</td>
              <td class="number">{count(layer.parameters)}</td>
              <td class="number">{layer.redundancy === undefined ? '' : significant(layer.redundancy)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
