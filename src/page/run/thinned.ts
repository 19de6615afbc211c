/** The first and the last, and of the others every second where they have become more than `most`. */
export const thinned = <T>(looks: readonly T[], most: number): readonly T[] =>
  looks.length <= most ? looks : looks.filter((_, i) => i % 2 === 0 || i === looks.length - 1);
