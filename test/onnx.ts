/** ONNX files of test/fixtures/onnx with numbers for their weights, and what onnxruntime makes of such files. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from 'onnx-buf';
import * as v from 'valibot';
import { product } from '../src/graph/tensor';
import { normals, uniforms } from '../src/model/random';
import type { Values } from './reference/values';

const about = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ mean: v.number(), std: v.number(), min: v.number(), max: v.number() }),
);

/** A fixture as make_onnx.py made it, its weights drawn anew like those that it had. */
export function onnxFixture(name: string, seed = 1): Uint8Array<ArrayBuffer> {
  const path = new URL(`fixtures/onnx/${name}.onnx.gz`, import.meta.url);
  const model = fromBinary(ModelProtoSchema, gunzipSync(readFileSync(path)));
  for (const tensor of model.graph!.initializer) {
    if (tensor.docString === '') continue;
    const { mean, std, min, max } = v.parse(about, tensor.docString);
    const draw = normals(uniforms(seed, tensor.name));
    const data = Float32Array.from({ length: product(tensor.dims.map(Number)) }, () =>
      Math.min(Math.max(mean + std * draw(), min), max),
    );
    tensor.docString = '';
    tensor.rawData = new Uint8Array(data.buffer);
  }
  return toBinary(ModelProtoSchema, model);
}

/** What onnxruntime, in WebAssembly, answers to images `[n, c, h, w]`: the first output. */
export async function runOnnx(bytes: Uint8Array, { shape, data }: Values): Promise<Float32Array> {
  const ort = await import('onnxruntime-web');
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'error';
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
  const [input] = session.inputNames;
  const [output] = session.outputNames;
  const answer = await session.run({
    [input]: new ort.Tensor('float32', Float32Array.from(data), [...shape]),
  });
  const logits = answer[output].data as Float32Array;
  await session.release();
  return logits;
}

/** Images of numbers around zero. */
export function someImages(shape: number[], seed = 2): Values {
  const draw = normals(uniforms(seed, 'images'));
  return { shape, data: Float64Array.from({ length: product(shape) }, () => draw()) };
}

/** The largest difference, relative to the largest number. */
export function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [most, largest] = [a.length === b.length ? 0 : Number.POSITIVE_INFINITY, 0];
  for (let i = 0; i < a.length; i++) {
    most = Math.max(most, Math.abs(a[i] - b[i]));
    largest = Math.max(largest, Math.abs(a[i]));
  }
  return most / largest;
}
