/** What there is to say of a file, a sentence each. */
import { quote } from '../../io/format-error';
import type { OnnxGraph, OnnxNode } from '../../io/onnx/graph';
import { bareConvolutions } from '../added-norms';
import type { Model, Pair } from '../model';
import type { Importer } from './importer';

/** Versions of the operators that are read as the standard defines them. */
const FIRST_OPSET = 9;
const LAST_OPSET = 22;

export function notesOn(
  { file, producer, opset, outputs, inputs }: OnnxGraph,
  { normalised }: Importer,
  output: string,
  nodes: readonly OnnxNode[],
  model: Model,
  [height, width]: Pair,
): string[] {
  const made = producer ? `, made by ${producer.slice(0, 60)}` : '';
  const notes = [
    `${file} is an ONNX model of opset ${opset}${made}: ${nodes.length} operators, ${nodes.filter(({ op }) => op === 'Conv').length} convolutions.`,
  ];
  if (opset < FIRST_OPSET || opset > LAST_OPSET)
    notes.push(
      `Operators are read as opsets ${FIRST_OPSET} to ${LAST_OPSET} define them, and it is of another: compare what comes out with onnxruntime, or convert it first (onnx.version_converter).`,
    );
  if (outputs.length > 1)
    notes.push(
      `Of its ${outputs.length} outputs ${quote(output)} tells the classes; what only the others take is left as it is.`,
    );
  if (nodes.some(({ op }) => op === 'QuantizeLinear' || op === 'DequantizeLinear'))
    notes.push('Its weights are quantised: they are trained and written as floats.');
  if (height !== width)
    notes.push(
      `It takes images of ${height} x ${width} pixels, and images are square here: it is trained on ${model.input.size} x ${model.input.size}.`,
    );
  if (normalised)
    notes.push(
      'It normalises its images itself: mean and deviation are taken from it, and need not be given.',
    );
  else if (inputs[0].shape?.[1] === 3 || inputs[0].shape === undefined)
    notes.push(
      "It does not say how its images are normalised: ImageNet's mean and deviation are taken (mean, std).",
    );
  if (model.layers.every(({ kind }) => kind !== 'batch_norm') && bareConvolutions(model).length > 0)
    notes.push(
      'It has no batch norms: it trains without, which takes a smaller learning rate, or with fresh ones (norms), which are folded back at the end. If it had some, they were folded into its convolutions when it was exported; exported with training=TrainingMode.PRESERVE it would keep them.',
    );
  return notes;
}
