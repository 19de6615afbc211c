/**
 * The shaders' texts. Those that any network of the common layers takes are there at once; all others are one script more,
 * which a page fetches when a plan asks for one of them.
 */

type Texts = Record<string, string>;

/** Those of the built-in job and of the probe of a device, and what shaders import. */
export const firstTexts: Texts = import.meta.glob<string>(
  [
    '../../../shaders/common/*.wgsl',
    '!../../../shaders/common/{adaptive,depthwise_map,depthwise_window,direct,map,row_sum,staging}.wgsl',
    '../../../shaders/data/gather.wgsl',
    '../../../shaders/dense/{forward,backward_weight}.wgsl',
    '../../../shaders/depthwise/{forward,backward_input,backward_weight}.wgsl',
    '../../../shaders/dropout/forward.wgsl',
    '../../../shaders/loss/cross_entropy.wgsl',
    '../../../shaders/norm/{affine_act,backward_finish,batch_backward_*,batch_finish,batch_running}.wgsl',
    '../../../shaders/optim/sgd.wgsl',
    '../../../shaders/probe/quads.wgsl',
    '../../../shaders/pointwise/*.wgsl',
    '../../../shaders/pool/average_*.wgsl',
    '../../../shaders/reduce/sum_splits*.wgsl',
    '../../../shaders/refocus/factored.wgsl',
    '../../../shaders/shape/copy.wgsl',
  ],
  { query: '?raw', import: 'default', eager: true },
);

/** All others. */
export const moreTexts = (): Promise<Texts> => import('./more-texts').then(({ texts }) => texts);
