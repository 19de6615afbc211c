/** Step 1: the network and the images. */
import { architectureNames } from '../../model/zoo';
import { isBusy } from '../run/run';
import { config, labels, networkError, setNetwork } from '../settings/config';
import { SelectField, TextField } from '../settings/field';
import type { Source } from '../settings/url';
import { Drop } from './drop';
import { checkpoint, testFiles, trainFiles } from './input';
import { Layers } from './layers';
import { Samples } from './samples';

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
      <Layers />
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
