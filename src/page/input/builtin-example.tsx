/** The built-in example: its network, and the images of which a run takes one set or the other. */
import { type BuiltinSet, builtinSets, hasObjects } from '../../data/builtin/builtin';
import { config } from '../settings/config';
import { Layers } from './layers';
import { Samples } from './samples';

/** Scenes are for experiments of other tasks. */
const CLASSIFIED = (Object.keys(builtinSets) as BuiltinSet[]).filter((name) => !hasObjects(name));

export function BuiltinExample() {
  return (
    <>
      <p>
        A short and narrow <b>MobileNetV2</b>, trained by this engine on drawn images: ten classes of shapes
        and textures, 32 × 32 pixels.
      </p>
      <fieldset class="methods one">
        <legend class="sr-only">Images</legend>
        {CLASSIFIED.map((name) => (
          <SetOption key={name} name={name} />
        ))}
      </fieldset>
      <Samples set={config.value.images} />
      <Layers />
    </>
  );
}

function SetOption({ name }: { name: BuiltinSet }) {
  const { label, help } = builtinSets[name];
  return (
    <label class="method">
      <input
        type="radio"
        name="images"
        value={name}
        checked={config.value.images === name}
        onChange={() => {
          config.value = { ...config.value, images: name };
        }}
      />
      <b>{label}</b>
      <span>{help}</span>
    </label>
  );
}
