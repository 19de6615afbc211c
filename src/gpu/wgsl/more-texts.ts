/** The shaders' texts that `texts.ts` has not, by the same lists. */
const entries = import.meta.glob<string>(
  [
    '../../../shaders/**/*.wgsl',
    '!../../../shaders/common/*.wgsl',
    '!../../../shaders/data/gather.wgsl',
    '!../../../shaders/dense/{forward,backward_weight}.wgsl',
    '!../../../shaders/depthwise/{forward,backward_input,backward_weight}.wgsl',
    '!../../../shaders/dropout/forward.wgsl',
    '!../../../shaders/loss/cross_entropy.wgsl',
    '!../../../shaders/norm/{affine_act,backward_finish,batch_backward_*,batch_finish,batch_running}.wgsl',
    '!../../../shaders/optim/sgd.wgsl',
    '!../../../shaders/probe/quads.wgsl',
    '!../../../shaders/pointwise/*.wgsl',
    '!../../../shaders/pool/average_*.wgsl',
    '!../../../shaders/reduce/sum_splits*.wgsl',
    '!../../../shaders/refocus/factored.wgsl',
    '!../../../shaders/shape/copy.wgsl',
  ],
  { query: '?raw', import: 'default', eager: true },
);

/** What only these import. */
const imported = import.meta.glob<string>(
  '../../../shaders/common/{adaptive,depthwise_map,depthwise_window,direct,map,row_sum,staging}.wgsl',
  { query: '?raw', import: 'default', eager: true },
);

export const texts = { ...entries, ...imported };
