/** A kernel drawn tap by tap. */
import { significant } from '../format';
import { around0, colourOf, type Scale } from './colours';

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

export function Kernel({ weights, height, width, scale, label, hasNumbers }: KernelProps) {
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
