export * from '../report/format';

/** A moment of ISO 8601: the time alone where that was today. */
export function dateAndTime(date: string): string {
  const when = new Date(date);
  if (Number.isNaN(when.getTime())) return date.slice(0, 40);
  const isToday = when.toDateString() === new Date().toDateString();
  return isToday
    ? when.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', hour12: false })
    : when.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short', hour12: false });
}
