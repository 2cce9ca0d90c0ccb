import { firstLine, isStackTrace, parseMessage, type Message } from "./message.ts";

/**
 * Turns a line of restic's output into the lines a person should read in the log: messages in words, plain text
 * as it is, nothing for progress.
 */
export function describeLine(text: string): string[] {
  const message = parseMessage(text);
  return message === undefined ? [text] : describeMessage(message);
}

/** The words for one JSON message. A type that is not known stays as JSON rather than getting lost. */
export function describeMessage(message: Message): string[] {
  switch (message.message_type) {
    case "status":
      return [];
    case "verbose_status":
      return verbose(message);
    case "error":
      return [errorText(message)];
    case "exit_error":
      return textOf(message["message"])
        .split("\n")
        .filter((line) => line.trim() !== "" && !isStackTrace(line));
    case "summary":
      return typeof message["total_files_processed"] === "number"
        ? summary(message)
        : [JSON.stringify(message)];
    case "initialized":
      return [`created repository ${textOf(message["id"]).slice(0, 10)} at ${textOf(message["repository"])}`];
    default:
      return [JSON.stringify(message)];
  }
}

/** Binary units as restic prints them: `2.676 MiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (value < 1024) return unit === "B" ? `${value} B` : `${value.toFixed(3)} ${unit}`;
    value /= 1024;
  }
  return `${value.toFixed(3)} TiB`;
}

/** `0:07`, `1:02:03`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number): string => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

function summary(m: Message): string[] {
  const n = (field: string): number => numberOf(m[field]);
  const counts = (what: string): string =>
    `${n(`${what}_new`)} new, ${n(`${what}_changed`)} changed, ${n(`${what}_unmodified`)} unmodified`;
  const id = textOf(m["snapshot_id"]);
  const added = `${formatBytes(n("data_added"))} (${formatBytes(n("data_added_packed"))} stored)`;
  return [
    `Files: ${counts("files")}`,
    `Dirs:  ${counts("dirs")}`,
    `Added to the repository: ${added}`,
    `processed ${n("total_files_processed")} files, ${formatBytes(n("total_bytes_processed"))} in ${formatSeconds(n("total_duration"))}`,
    id === "" ? "nothing changed, no snapshot saved" : `snapshot ${id.slice(0, 8)} saved`,
  ];
}

function verbose(m: Message): string[] {
  const action = textOf(m["action"]);
  if (action === "scan_finished") {
    return [`scan finished: ${numberOf(m["total_files"])} files, ${formatBytes(numberOf(m["data_size"]))}`];
  }
  const size = numberOf(m["data_size"]) + numberOf(m["metadata_size"]);
  const added = action === "unchanged" ? "" : ` (${formatBytes(size)} added)`;
  return [`${action.padEnd(9)} ${oneLine(textOf(m["item"]))}${added}`];
}

function errorText(m: Message): string {
  const error = m["error"];
  const nested =
    typeof error === "object" && error !== null && "message" in error ? textOf(error.message) : "";
  const words = firstLine(nested === "" ? textOf(m["message"]) : nested);
  const item = oneLine(textOf(m["item"]));
  // Most messages name the item themselves.
  return item === "" || words.includes(item) ? `error: ${words}` : `error: ${item}: ${words}`;
}

/** A file's name may hold line breaks; a log line may not. */
export function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is replaced
  return text.replace(/[\u0000-\u001f\u007f]/g, (c) => JSON.stringify(c).slice(1, -1));
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function numberOf(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}
