/** Step 1: the network and the images. */
import { useState } from 'preact/hooks';
import { type NetworkOptionName, networkFields, networkOptionNames } from '../../run/network-options';
import { Capture } from '../capture/capture';
import { lazy } from '../lazy';
import { isUnderWay } from '../run/state';
import { config, networkError, setNetwork } from '../settings/config';
import { FieldInput } from '../settings/field';
import type { Source } from '../settings/url';
import { BatchStrip } from './batch-strip';
import { BuiltinExample } from './builtin-example';
import { Drop } from './drop';
import { Layers } from './layers';
import { OpenFiles } from './open-files';
import { Classes, Images, Taken } from './recognised';
import { labels, startsBuiltin, testFiles, trainFiles, weightsFiles } from './sources';

export function StepInput() {
  const { source } = config.value;
  return (
    <>
      <Taken />
      <fieldset class="plain" disabled={isUnderWay.value}>
        <legend class="sr-only">Network and images</legend>
        <div class="segments">
          <SourceOption value="builtin" name="Built-in example" />
          <SourceOption value="own" name="Your own" />
        </div>
        {source === 'builtin' ? <BuiltinExample /> : <Own />}
        <OpenFiles />
        {(source === 'builtin' || trainFiles.value.length > 0) && <BatchStrip />}
      </fieldset>
    </>
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

const FetchPanel = lazy(async () => (await import('../remote/fetch-panel')).FetchPanel);

/** Its script comes when it is opened. */
function FromElsewhere() {
  const [isOpen, setOpen] = useState(false);
  return (
    <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Weights or images from the hub, or another address</summary>
      {isOpen && <FetchPanel />}
    </details>
  );
}

function Own() {
  return (
    <>
      <Drop
        id="weights"
        label="Weights"
        hint="Drop weights, anywhere on the page: .safetensors, .pt, .pth, .th, .ckpt, the shards of such with their index, or an .onnx model. Nothing in it is executed."
        accept=".safetensors,.pt,.pth,.th,.ckpt,.onnx,.data,.bin,.json,.zip"
        files={weightsFiles.value}
        onFiles={(files) => {
          weightsFiles.value = files;
          // names of another network's classes
          labels.value = undefined;
        }}
      />
      {startsBuiltin.value && (
        <p class="recognised">
          Without weights of your own the built-in network starts: a short MobileNetV2, made for 32 × 32
          pixels.
        </p>
      )}
      <Layers>
        <Classes />
      </Layers>
      <NetworkOptions />
      <Drop
        id="train"
        label="Images"
        hint="They stay on this device. Drop a zip, a tar.gz or a folder with one folder a class, or with a CSV of labels; with parts train, val and test, or without; CIFAR-10 binary batches; an IDX pair."
        files={trainFiles.value}
        onFiles={(files) => {
          trainFiles.value = files;
        }}
      />
      <Capture />
      <Images />
      <Drop
        id="test"
        label="Test images (optional)"
        hint="Without them the part val or test of the images, else some of each class held out."
        files={testFiles.value}
        onFiles={(files) => {
          testFiles.value = files;
        }}
      />
      <FromElsewhere />
    </>
  );
}

/** What names and shapes of the weights cannot tell, or tell otherwise than the user knows. */
function NetworkOptions() {
  // at first; an option that is emptied does not close it
  const [isOpen] = useState(() => networkOptionNames.some((name) => config.value.network[name] !== ''));
  return (
    <details open={isOpen}>
      <summary>Change what was recognised</summary>
      <div class="fields">
        {networkOptionNames.map((name) => (
          <NetworkOption key={name} name={name} />
        ))}
      </div>
    </details>
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
