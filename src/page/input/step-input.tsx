/** Step 1: the network and the images. */
import { type NetworkOptionName, networkFields, networkOptionNames } from '../../run/network-options';
import { isBusy } from '../run/run';
import { config, networkError, setNetwork } from '../settings/config';
import { FieldInput } from '../settings/field';
import type { Source } from '../settings/url';
import { Drop } from './drop';
import { Layers } from './layers';
import { Samples } from './samples';
import { testFiles, trainFiles, weightsFile } from './sources';

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
  return (
    <>
      <h3>Network</h3>
      <NetworkOption name="arch" />
      <div class="fields">
        {networkOptionNames
          .filter((name) => name !== 'arch')
          .map((name) => (
            <NetworkOption key={name} name={name} />
          ))}
      </div>
      <Drop
        id="weights"
        label="Weights file"
        hint="Drop a state dict: .safetensors, .pt, .pth or .th. Nothing in it is executed."
        accept=".safetensors,.pt,.pth,.th"
        single
        files={weightsFile.value ? [weightsFile.value] : []}
        onFiles={([file]) => {
          weightsFile.value = file;
        }}
      />
      <Layers />
      <h3>Images</h3>
      <Drop
        id="train"
        label="Training images"
        hint="Drop a zip, a tar.gz or a folder with one folder a class, or with a CSV of labels; with parts train, val and test, or without; CIFAR-10 binary batches; an IDX pair."
        files={trainFiles.value}
        onFiles={(files) => {
          trainFiles.value = files;
        }}
      />
      <Drop
        id="test"
        label="Test images (optional)"
        hint="Without them the part val or test of the training images, else some of each class held out."
        files={testFiles.value}
        onFiles={(files) => {
          testFiles.value = files;
        }}
      />
    </>
  );
}

function NetworkOption({ name }: { name: NetworkOptionName }) {
  const field = networkFields[name];
  return (
    <FieldInput
      id={name}
      field={field}
      value={config.value.network[name]}
      error={networkError(name)}
      empty={field.absent}
      onValue={(value) => setNetwork(name, value)}
    />
  );
}
