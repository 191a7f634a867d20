/** ISO 8601 durations for `result.duration` (xAPI 1.0.3 Data 4.6): hours, minutes, seconds to the hundredth. */
export function isoDuration(milliseconds: number): string {
  const hundredths = Math.round(Math.max(0, milliseconds) / 10);
  const hours = Math.floor(hundredths / 360_000);
  const minutes = Math.floor((hundredths % 360_000) / 6000);
  const seconds = (hundredths % 6000) / 100;
  const parts = `${hours ? `${hours}H` : ''}${minutes ? `${minutes}M` : ''}${seconds ? `${seconds}S` : ''}`;
  return `PT${parts || '0S'}`;
}
