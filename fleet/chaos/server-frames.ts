/**
 * Cuts what a WebSocket server sends into whole frames, so that one can be sent twice. Feed it from the first byte of the
 * connection: the answer to the upgrade comes first, as one piece.
 */
export class ServerFrames {
  #rest: Uint8Array = new Uint8Array();
  #upgraded = false;
  /** The answer is no upgrade: what follows are no frames. */
  #plain = false;

  /** The whole frames that are there now; a beginning waits for its end. */
  feed(bytes: Uint8Array): Uint8Array[] {
    this.#rest = this.#rest.length === 0 ? bytes.slice() : Buffer.concat([this.#rest, bytes]);
    const whole: Uint8Array[] = [];
    for (;;) {
      if (this.#plain) return this.#rest.length === 0 ? whole : [...whole, this.takeRest()];
      const length = this.#upgraded ? frameLength(this.#rest) : headLength(this.#rest);
      if (length === undefined || length > this.#rest.length) return whole;
      this.#plain ||=
        !this.#upgraded && !Buffer.from(this.#rest).toString("latin1", 0, 13).startsWith("HTTP/1.1 101 ");
      this.#upgraded = true;
      whole.push(this.#rest.subarray(0, length));
      this.#rest = this.#rest.subarray(length);
    }
  }

  /** What waits for more, given up by this. */
  takeRest(): Uint8Array {
    const rest = this.#rest;
    this.#rest = new Uint8Array();
    return rest;
  }
}

function headLength(bytes: Uint8Array): number | undefined {
  const end = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf("\r\n\r\n");
  return end === -1 ? undefined : end + 4;
}

/** A server masks nothing, so that after two bytes and the length comes the load. */
function frameLength(bytes: Uint8Array): number | undefined {
  const short = bytes[1];
  if (short === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const size = short & 0x7f;
  if (size < 126) return 2 + size;
  if (size === 126) return bytes.length < 4 ? undefined : 4 + view.getUint16(2);
  return bytes.length < 10 ? undefined : 10 + Number(view.getBigUint64(2));
}
