/** A kernel drawn tap by tap. */
import { useCanvas } from '../canvas';
import { significant } from '../format';
import { around0, colourOf, mapPixelsOf, type Scale } from './colours';

interface KernelProps {
  weights: ArrayLike<number>;
  height: number;
  width: number;
  scale: Scale;
  label: string;
  /** numbers stand in the taps where there is room */
  hasNumbers?: boolean;
}

const TAP = 36;
/** Kernels of more taps are drawn by pixels, without numbers. */
const MOST_CELLS = 49;

export function Kernel(props: KernelProps) {
  return props.height * props.width <= MOST_CELLS ? <Cells {...props} /> : <Pixels {...props} />;
}

function Pixels({ weights, height, width, scale, label }: KernelProps) {
  const canvas = useCanvas(
    (context) => {
      const pixels = mapPixelsOf(Float32Array.from(weights), scale);
      context.putImageData(new ImageData(pixels, width, height), 0, 0);
    },
    [weights, scale.to],
  );
  return (
    <canvas
      ref={canvas}
      class="kernel pixelated"
      width={width}
      height={height}
      role="img"
      aria-label={`${label}, ${height}×${width} weights`}
    />
  );
}

function Cells({ weights, height, width, scale, label, hasNumbers }: KernelProps) {
  return (
    <svg
      class="kernel"
      viewBox={`0 0 ${width * TAP} ${height * TAP}`}
      role="img"
      aria-label={`${label}: ${Array.from(weights, (w) => significant(w)).join(', ')}`}
    >
      {Array.from({ length: height * width }, (_, t) => {
        const { fill, ink } = colourOf(weights[t], scale);
        const [x, y] = [(t % width) * TAP, Math.floor(t / width) * TAP];
        return (
          <g key={t}>
            <rect x={x} y={y} width={TAP} height={TAP} fill={fill}>
              <title>{significant(weights[t])}</title>
            </rect>
            {hasNumbers && width <= 5 && (
              <text x={x + TAP / 2} y={y + TAP / 2 + 4} fill={ink} text-anchor="middle" font-size="11">
                {short(weights[t])}
              </text>
            )}
          </g>
        );
      })}
    </svg>
  );
}

/** Two digits after the point, or fewer characters. */
const short = (value: number): string =>
  (Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2)).replace(/^(-?)0\./, '$1.').replace('-', '−');

/** One scale for several kernels: their largest weight on either side of white. */
export function kernelScale(...kernels: ArrayLike<number>[]): Scale {
  let top = 0;
  for (const kernel of kernels)
    for (let t = 0; t < kernel.length; t++)
      if (Number.isFinite(kernel[t])) top = Math.max(top, Math.abs(kernel[t]));
  return around0(top || 1);
}
