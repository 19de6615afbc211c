/** Networks that come as an ONNX file, and leave as the same file with other numbers. */
import { UserError } from '../errors';
import { bytesOf } from '../io/blob';
import type { OnnxSource } from '../io/onnx/graph';
import { rewriteOnnx } from '../io/onnx/rewrite';
import { storedTensors } from '../io/onnx/stored';
import { type OpenedWeights, stateCopy } from '../io/state-copy';
import { decodeElements, encodeElements, type StateDict } from '../io/tensor';
import { openWeights } from '../io/weights-file';
import { type Imported, importOnnx } from '../model/onnx/import';
import { editsFor } from '../model/onnx/write';
import type { NetworkOptions } from './network-options';
import type { RecognisedWeights } from './recognise-weights';

/** The ONNX file that a network came in. */
export interface OnnxOriginal extends Imported {
  source: OnnxSource;
}

/** Whose names the tensors of such a file have. */
export const ONNX_PUBLISHER = 'onnx';

export interface RecognisedOnnx extends RecognisedWeights {
  onnx: OnnxOriginal;
  /** side of the images that the graph takes, where it takes no others */
  size?: number;
}

/**
 * The network of an ONNX graph, its tensors under the names of its initializers.
 * @throws UserError where an option contradicts the graph, or the graph is no classifier that can be trained here
 */
export function recogniseOnnx(
  { file }: OpenedWeights,
  source: OnnxSource,
  options: NetworkOptions,
): RecognisedOnnx {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  if (given.length > 0)
    throw new UserError(
      `${file} is an ONNX model, whose graph says what its network is: leave ${given.map(([name]) => name).join(', ')} out.`,
    );
  const imported = importOnnx(source.graph);
  const { model, state, bindings, notes } = imported;
  const stored = storedTensors(source.graph);
  const names = new Map<string, string>();
  const tensors: StateDict = new Map();
  const bound = new Map(bindings.map((binding) => [binding.entry, binding]));
  for (const { name: entry } of model.state) {
    const { value, constant } = bound.get(entry) ?? {};
    const tensor = constant?.origin?.tensor;
    // a layer that shares its tensor with others may still have a name of its own for it
    const key =
      [value?.startsWith('/') ? undefined : value, tensor].find((name) => name && !names.has(name)) ?? entry;
    const { shape, data } = state.get(entry)!;
    const dtype = stored.get(tensor ?? '')?.dtype ?? 'F32';
    names.set(key, entry);
    tensors.set(key, { dtype: /^B?F/.test(dtype) ? dtype : 'F32', shape, data });
  }
  const copy = stateCopy(file, '', tensors, async (name) => tensors.get(name)!);
  return {
    model,
    copy,
    names,
    publisher: ONNX_PUBLISHER,
    prefix: '',
    head: model.head.name,
    kept: new Set(names.keys()),
    notes,
    onnx: { ...imported, source },
    size: imported.size,
  };
}

/** A network's file with new numbers. */
export interface NewOnnx {
  state: StateDict;
  classes: number;
  metadata?: ReadonlyMap<string, string>;
}

/**
 * The file again with a network's new numbers, read back and compared: the same layers, and in each of them the numbers that
 * were to be written, as the types of the file round them.
 * @throws Error where it is not the network that was trained
 */
export async function writeOnnx(original: OnnxOriginal, numbers: NewOnnx): Promise<Uint8Array<ArrayBuffer>> {
  const { graph, model: file } = original.source;
  const bytes = rewriteOnnx(await bytesOf(file.blob), editsFor(graph, original, numbers));
  const opened = await openWeights({ path: file.path, blob: new Blob([bytes]) });
  compare(original, importOnnx(opened.onnx!.graph), numbers);
  return bytes;
}

function compare({ model, source }: OnnxOriginal, again: Imported, { state, classes }: NewOnnx): void {
  const layersOf = ({ layers, head }: Imported['model']) =>
    JSON.stringify(
      layers.map((layer) => {
        const isHead = layer.name === head.name && (layer.kind === 'conv' || layer.kind === 'linear');
        return {
          ...layer,
          name: undefined,
          weight: undefined,
          shape: isHead ? layer.shape.slice(1) : 'shape' in layer && layer.shape,
        };
      }),
    );
  if (layersOf(model) !== layersOf(again.model) || again.model.head.classes !== classes)
    throw new Error(`${source.graph.file}, written again, is another network`);
  for (const [i, { name }] of model.state.entries()) {
    const wanted = state.get(name)?.data as Float32Array<ArrayBuffer> | undefined;
    const found = again.state.get(again.model.state[i].name)?.data as Float32Array | undefined;
    if (!wanted) continue;
    const dtypes = ['F32', 'F16', 'BF16'] as const;
    const isSame = dtypes.some((dtype) => {
      const written =
        dtype === 'F32' ? wanted : (decodeElements(encodeElements(wanted, dtype), dtype) as Float32Array);
      return (
        found?.length === written.length &&
        written.every((x, at) => Object.is(x, found[at]) || x === found[at])
      );
    });
    if (!isSame) throw new Error(`${source.graph.file}, written again, has other numbers in ${name}`);
  }
}
