import { Graph } from '../../graph/graph';
import type { OnnxGraph } from '../../io/onnx/graph';
import type { StateDict } from '../../io/tensor';
import { foldNorms } from '../fold-norms';
import { instantiate } from '../instantiate';
import type { Model, ModelInput } from '../model';
import { emitLayer } from './emit/layers';
import { GraphWriter, type Value } from './emit/writer';

export interface ExportOptions {
  /** side of the images, pixels */
  size: number;
  /** the graph takes bytes as numbers from 0 to 255 and normalises them itself */
  preprocessing: boolean;
  /** probabilities instead of logits */
  softmax: boolean;
  /** batch norms folded into the convolutions before them */
  fold: boolean;
}

const OPSET = 17;
/** The extent that each run may choose. */
const BATCH = 'batch';

/** A plain model as a graph of ONNX's operators: `input` `[batch, c, h, w]` to `logits` `[batch, classes]`, or `probabilities`. */
export function exportOnnx(given: Model, numbers: StateDict, options: ExportOptions): OnnxGraph {
  const { model, state } = options.fold ? foldNorms(given, numbers) : { model: given, state: numbers };
  const { channels } = model.input;
  const { size } = options;
  const w = new GraphWriter(state);
  const image: Value = { name: 'input', shape: [channels, size, size] };
  const values = new Map([[0, options.preprocessing ? normalised(w, image, model.input) : image]]);
  const shapes = shapesOf(model, size);
  for (const layer of model.layers) {
    const inputs = layer.inputs.map((id) => values.get(id)!);
    values.set(layer.id, emitLayer(w, layer, inputs, shapes.get(layer.id)!));
  }
  const output = finish(w, values.get(model.logits)!, options);
  return {
    file: model.name,
    opset: OPSET,
    producer: 'refocus',
    nodes: w.nodes,
    initializers: w.initializers,
    inputs: [{ name: image.name, dtype: 'F32', shape: [BATCH, ...image.shape] }],
    outputs: [{ name: output, dtype: 'F32', shape: [BATCH, model.head.classes] }],
  };
}

/** `[channels, height, width]` of each value, by its id. */
function shapesOf(model: Model, size: number): ReadonlyMap<number, Value['shape']> {
  const graph = new Graph();
  const x = graph.tensor('x', [1, size, size, model.input.channels], { role: 'input' });
  const { values } = instantiate(model, graph, x, { training: false });
  return new Map(
    [...values].map(
      ([
        id,
        {
          shape: [, h, w, c],
        },
      ]): [number, Value['shape']] => [id, [c, h, w]],
    ),
  );
}

function normalised(w: GraphWriter, image: Value, { mean, std }: ModelInput): Value {
  const shape = [1, mean.length, 1, 1];
  const bytes = (values: readonly number[]) => values.map((v) => v * 255);
  const centred = w.node('Sub', 'centre', [image.name, w.numbers('mean', bytes(mean), shape)]);
  const name = w.node('Div', 'normalise', [centred, w.numbers('std', bytes(std), shape)]);
  return { ...image, name };
}

/** The logits as rows, under their name. */
function finish(w: GraphWriter, logits: Value, { softmax }: ExportOptions): string {
  const name = softmax ? 'probabilities' : 'logits';
  const row = w.row(logits).name;
  if (softmax) return w.node('Softmax', 'softmax', [row], { axis: 1 }, [name]);
  w.nodes.at(-1)!.outputs[0] = name;
  return name;
}
