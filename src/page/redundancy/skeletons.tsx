/** Where the weight of a layer's kernels lies. */
import { upTo } from './colours';
import { skeletonCsv, skeletonFile } from './figures';
import { Kernel } from './kernel';
import { SaveFigure } from './save-figure';
import { comparison, nowName } from './view';

export function Skeletons() {
  const { before, now } = comparison.value!;
  const [, , height, width] = before.shape;
  const states = now ? [before, now] : [before];
  const scale = upTo(Math.max(...states.flatMap(({ skeleton }) => [...skeleton])) || 1);
  return (
    <figure class="skeletons">
      <div class="pair-states">
        {states.map((layer) => {
          const title = layer === before ? 'before' : nowName.value;
          return (
            <div key={layer === before ? 'before' : 'now'}>
              <Kernel
                weights={layer.skeleton}
                height={height}
                width={width}
                scale={scale}
                hasNumbers
                label={`Skeleton ${title}`}
              />
              <small>{title}</small>
            </div>
          );
        })}
        {!now && <div />}
      </div>
      <figcaption>
        Skeleton: the sum of |W| over all the layer’s kernels at each tap{' '}
        <SaveFigure
          name={`${before.name}-skeleton`}
          title="the skeletons"
          svg={() => skeletonFile(before, now)}
          csv={() => skeletonCsv(before, now)}
        />
      </figcaption>
    </figure>
  );
}
