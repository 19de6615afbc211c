import { hessianProduct, largestEigenvalue } from '../../analysis/sharpness';
import { product } from '../../graph/tensor';
import { floats, type StateDict } from '../../io/tensor';
import { normals, uniforms } from '../../model/random';
import { type AnalysisContext, type Subject, WITH_GRADIENT } from './context';
import { surfaceOf } from './landscape';
import type { SharpnessResult } from './result';

/** The largest eigenvalue of the Hessian of each network's loss, over all its parameters, from the same first vector. */
export async function analyseSharpness(context: AnalysisContext): Promise<SharpnessResult> {
  const { numbers, subjects, goOn } = context;
  const counted = { ...context, goOn: (images: number) => goOn(WITH_GRADIENT * images) };
  const networks: SharpnessResult['networks'] = [];
  for (const subject of subjects) {
    const surface = await surfaceOf(subject, counted);
    try {
      const gradient = async (point: Float32Array) =>
        Float64Array.from(await surface.gradientAt({ parameters: Float32Array.from(point) }));
      const multiply = hessianProduct(gradient, surface.origin.parameters);
      const start = surface.parametersOf(randomVector(subject, numbers.analysisSeed));
      networks.push(await largestEigenvalue(multiply, Float64Array.from(start), { most: numbers.products }));
    } finally {
      surface.destroy();
    }
  }
  return { networks };
}

function randomVector({ model }: Subject, seed: number): StateDict {
  const parameters = model.state.filter(({ role }) => role === 'parameter');
  return new Map(
    parameters.map(({ name, shape }) => {
      const draw = normals(uniforms(seed, `vector ${name}`));
      return [name, floats(shape, Float32Array.from({ length: product(shape) }, draw))];
    }),
  );
}
