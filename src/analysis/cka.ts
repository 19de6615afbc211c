/** How alike the features of layers are, whatever their axes: linear CKA (Kornblith et al. 2019, arXiv 1905.00414). */

/** Features of a batch in one layer, a row an image. */
export type Features = Float32Array;

/** HSIC's unbiased estimate needs as many images. */
export const FEWEST_IMAGES = 4;

/**
 * Linear CKA between the layers of two networks over minibatches: HSIC is estimated without bias on each (HSIC_1 of Song et al. 2012)
 * and the estimates are averaged, so that the result does not depend on the size of the batches but for its noise, and no
 * features need be kept (Nguyen et al. 2020, arXiv 2010.15327). Being unbiased, it may lie a little below 0 or above 1.
 */
export class MinibatchCka {
  /** sums over the batches, weighted by their images */
  private readonly cross: Float64Array;
  private readonly own: [Float64Array, Float64Array];

  /** @param layers of the first network, of the second */
  constructor(private readonly layers: readonly [number, number]) {
    this.cross = new Float64Array(layers[0] * layers[1]);
    this.own = [new Float64Array(layers[0]), new Float64Array(layers[1])];
  }

  /**
   * Adds a batch.
   * @param features of each layer of each network, of the same `rows` images in the same order; at least FEWEST_IMAGES
   */
  add(features: readonly [readonly Features[], readonly Features[]], rows: number): void {
    const [a, b] = features.map((network) => network.map((layer) => centredGram(layer, rows)));
    this.addGrams(a, b, rows);
  }

  /** The same by what `centredGram` makes of the features: that of a network which others are compared with is made once. */
  addGrams(a: readonly Float64Array[], b: readonly Float64Array[], rows: number): void {
    // an estimate is the product over n (n - 3), and counts as its n images
    const scale = 1 / (rows - 3);
    a.forEach((gram, i) => {
      this.own[0][i] += scale * dot(gram, gram);
      b.forEach((other, j) => {
        this.cross[i * this.layers[1] + j] += scale * dot(gram, other);
      });
    });
    b.forEach((gram, j) => {
      this.own[1][j] += scale * dot(gram, gram);
    });
  }

  /** A row a layer of the first network, a column a layer of the second; NaN where a layer says the same of all images. */
  matrix(): number[][] {
    return Array.from({ length: this.layers[0] }, (_, i) =>
      Array.from(
        { length: this.layers[1] },
        (_, j) => this.cross[i * this.layers[1] + j] / Math.sqrt(this.own[0][i] * this.own[1][j]),
      ),
    );
  }
}

/**
 * The Gram matrix of a layer's features, U-centred (Székely and Rizzo 2014): without its diagonal, and with rows and columns that sum to 0.
 * The product of two such matrices, element by element, sums to n (n - 3) HSIC_1.
 * @param features rows x any number, row by row
 * @returns rows x rows
 */
export function centredGram(features: Features, rows: number): Float64Array {
  if (rows < FEWEST_IMAGES) throw new Error(`HSIC needs ${FEWEST_IMAGES} images, not ${rows}`);
  const width = features.length / rows;
  const centred = withoutMean(features, rows, width);
  const gram = new Float64Array(rows * rows);
  const sums = new Float64Array(rows);
  let total = 0;
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < i; j++) {
      let product = 0;
      for (let k = 0; k < width; k++) product += centred[i * width + k] * centred[j * width + k];
      gram[i * rows + j] = gram[j * rows + i] = product;
      sums[i] += product;
      sums[j] += product;
      total += 2 * product;
    }
  const mean = total / ((rows - 1) * (rows - 2));
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < rows; j++) if (i !== j) gram[i * rows + j] += mean - (sums[i] + sums[j]) / (rows - 2);
  return gram;
}

/** HSIC does not see the mean, but rounding does where it is large against what differs. */
function withoutMean(features: Features, rows: number, width: number): Float32Array {
  const mean = new Float64Array(width);
  for (let at = 0; at < features.length; at++) mean[at % width] += features[at] / rows;
  return features.map((value, at) => value - mean[at % width]);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
