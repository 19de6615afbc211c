/** The tab's icon: a disc that fills as a run goes on. */
import { effect } from '@preact/signals';
import { isUnderWay, progress, status } from './state';

/** Steps of the icon: browsers redraw it at every change. */
const PARTS = 24;
const ACCENT = '#0e7c6b';

export function followFavicon(): void {
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]')!;
  const idle = link.href;
  effect(() => {
    const part = Math.floor(PARTS * progress.value) / PARTS;
    const icon = isUnderWay.value ? disc(part) : status.value === 'failed' ? disc(1, '#b3362b') : idle;
    if (link.href !== icon) link.href = icon;
  });
}

/** A ring of which a share is drawn, clockwise from the top. */
function disc(share: number, colour = ACCENT): string {
  const round = 2 * Math.PI * 13;
  const ring = `<circle cx="18" cy="18" r="13" fill="none" stroke="${colour}" stroke-width="9"`;
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 36 36">' +
    `${ring} opacity=".3"/>` +
    `${ring} stroke-dasharray="${(share * round).toFixed(1)} ${round}" transform="rotate(-90 18 18)"/></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}
