/** One line without its end. `cut` says that the rest of it was thrown away because it was too long. */
export type Line = { text: string; cut: boolean };

export type LineSplitter = {
  /** Takes the next bytes and gives the lines that they complete. The bytes are not kept. */
  push(chunk: Uint8Array): Line[];
  /** Gives the last line if it had no end. */
  end(): Line[];
};

/** 1 MiB: the longest restic line seen is 4 KiB; a stack trace or a hostile file name may be longer. */
export const maxLineBytes = 1024 * 1024;

const LF = 10;
const CR = 13;

/**
 * Splits bytes into lines at LF, CRLF and lone CR (progress bars redraw with CR), whatever way the bytes are
 * cut into chunks. Never holds more than `maxBytes`: what is longer is cut there, at a whole character, and
 * marked. Invalid UTF-8 becomes U+FFFD. An empty redraw (CR with nothing before it) is no line.
 */
export function lineSplitter(maxBytes = maxLineBytes): LineSplitter {
  let kept: Buffer[] = [];
  let keptBytes = 0;
  let cut = false;
  let afterCr = false;

  const keep = (bytes: Buffer): void => {
    const room = maxBytes - keptBytes;
    if (bytes.length > room) cut = true;
    if (room <= 0 || bytes.length === 0) return;
    // A copy: the caller's buffer may be reused, and a slice would hold all of it.
    const part = Buffer.from(bytes.subarray(0, room));
    kept.push(part);
    keptBytes += part.length;
  };
  const take = (): Line => {
    const all = kept.length === 1 ? kept[0] : Buffer.concat(kept);
    const line = { text: decode(all ?? Buffer.alloc(0), cut), cut };
    kept = [];
    keptBytes = 0;
    cut = false;
    return line;
  };

  return {
    push(chunk) {
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      const hasCr = bytes.includes(CR);
      const lines: Line[] = [];
      // The common case (whole lines, no CR, nothing too long) decodes and splits in one go.
      if (!hasCr && !afterCr && bytes.length <= maxBytes) {
        const first = bytes.indexOf(LF);
        const last = bytes.lastIndexOf(LF);
        if (first === -1) {
          keep(bytes);
          return lines;
        }
        keep(bytes.subarray(0, first));
        lines.push(take());
        if (last > first) {
          for (const text of bytes.toString("utf8", first + 1, last).split("\n")) lines.push(plain(text));
        }
        keep(bytes.subarray(last + 1));
        return lines;
      }
      let start = 0;
      for (let at = 0; at < bytes.length; at++) {
        const byte = bytes[at];
        if (byte !== LF && byte !== CR) {
          // Nothing to look at until the next end of line; jump there.
          afterCr = false;
          const lf = bytes.indexOf(LF, at);
          const cr = hasCr ? bytes.indexOf(CR, at) : -1;
          const next = Math.min(lf === -1 ? bytes.length : lf, cr === -1 ? bytes.length : cr);
          at = next - 1;
          continue;
        }
        keep(bytes.subarray(start, at));
        start = at + 1;
        if (byte === LF && afterCr) {
          afterCr = false;
          continue;
        }
        afterCr = byte === CR;
        if (afterCr && keptBytes === 0 && !cut) continue;
        lines.push(take());
      }
      keep(bytes.subarray(start));
      return lines;
    },
    end() {
      return keptBytes === 0 && !cut ? [] : [take()];
    },
  };
}

function plain(text: string): Line {
  return { text: withoutEscapes(text), cut: false };
}

function decode(bytes: Buffer, cut: boolean): string {
  return withoutEscapes(bytes.toString("utf8", 0, cut ? wholeCharacters(bytes) : bytes.length));
}

// Terminal control such as "erase line", which 0.18 sends even into a pipe.
// oxlint-disable-next-line no-control-regex -- escape sequences begin with a control character
const escapes = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;

function withoutEscapes(text: string): string {
  return text.includes("\u001b") ? text.replace(escapes, "") : text;
}

/** The length without a character that the cut has torn apart. */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0b1100_0000) === 0b1000_0000) continue;
    const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needs > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
