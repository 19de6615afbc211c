/** Numbers as comma-separated values (RFC 4180); null and undefined are empty cells. */
export function toCsv(
  header: readonly string[],
  rows: readonly (readonly (number | null | undefined)[])[],
): string {
  return [header, ...rows].map((row) => `${row.map((cell) => cell ?? '').join(',')}\r\n`).join('');
}
