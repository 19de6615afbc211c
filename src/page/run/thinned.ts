/**
 * Looks at a run, which come one by one, kept at no more than `most`: where there is one too many, that one goes whose neighbours
 * stand nearest to each other. So they stay even over a run of any length, with the first and the last.
 */
export function thinned<T extends { step: number }>(looks: readonly T[], most: number): readonly T[] {
  if (looks.length <= most) return looks;
  let least = 1;
  const gap = (i: number) => looks[i + 1].step - looks[i - 1].step;
  for (let i = 2; i < looks.length - 1; i++) if (gap(i) < gap(least)) least = i;
  return looks.filter((_, i) => i !== least);
}
