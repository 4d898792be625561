/** Amounts as people read them, in decimal units as disks and downloads are sold. */

/** Such as "13.2 GB", "508 MB" or "250 B". */
export function byteText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let amount = bytes;
  let unit = 0;
  while (amount >= 999.5 && unit < units.length - 1) {
    amount /= 1000;
    unit++;
  }
  return `${unit > 0 && amount < 99.95 ? amount.toFixed(1) : amount.toFixed(0)} ${units[unit]}`;
}

/** Such as "45 s", "18 min" or "2 h 5 min". */
export function durationText(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
