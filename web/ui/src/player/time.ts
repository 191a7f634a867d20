/** A time in words for those who listen: "2 minutes 5 seconds". For the eye there is `lib/format`'s `clock`. */
import { t } from './messages';

export function spokenTime(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds + 1e-6));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = whole % 60;
  const parts: string[] = [];
  if (hours > 0) parts.push(t.time.hours(hours));
  if (minutes > 0) parts.push(t.time.minutes(minutes));
  if (rest > 0 || parts.length === 0) parts.push(t.time.seconds(rest));
  return parts.join(' ');
}
