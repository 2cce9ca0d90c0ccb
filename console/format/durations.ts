const pad = (value: number) => String(value).padStart(2, "0");

/** How long something took, in milliseconds: `0.4 s`, `11 s`, `3 min 12 s`, `1 h 04 min`, `2 d 3 h`. */
export function formatDuration(ms: number): string {
  if (ms < 0) return "0 s";
  if (ms < 950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${pad(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${pad(minutes % 60)} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A length that somebody set, in seconds: `10 min`, `90 s`, `2 h`. */
export function limitWords(seconds: number): string {
  if (seconds % 3600 === 0) return `${seconds / 3600} h`;
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}

/** Time left in round words, from seconds: an estimate that changes every second must not look exact. */
export function roundRemaining(seconds: number): string {
  if (seconds < 50) return "less than a minute";
  const minutes = Math.round(seconds / 60);
  if (minutes <= 10) return `about ${minutes} min`;
  const fives = Math.round(minutes / 5) * 5;
  if (fives < 60) return `about ${fives} min`;
  const halves = Math.round(minutes / 30) / 2;
  if (halves < 12) return `about ${Math.floor(halves)} h${halves % 1 === 0 ? "" : " 30"}`;
  if (halves < 36) return `about ${Math.round(halves)} h`;
  return `about ${Math.round(halves / 24)} days`;
}

/** A countdown from milliseconds: `57:48`, `1:02:03`; never below zero. */
export function formatCountdown(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const hours = Math.floor(seconds / 3600);
  const rest = `${pad(Math.floor((seconds % 3600) / 60))}:${pad(seconds % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}
