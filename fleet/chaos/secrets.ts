/** What must not be found where it does not belong. */
export interface Secret {
  name: string;
  /** Every way in which it may be written. */
  forms: Buffer[];
  /** Files (by the end of their path) that are there to hold it. */
  home: readonly string[];
}

/** Keeps every secret of a run, and finds them. */
export class Secrets {
  readonly #all: Secret[] = [];

  /** @param home ends of the paths of files that may hold it. */
  add(name: string, value: string | Uint8Array, home: readonly string[] = []): void {
    const raw = Buffer.from(value);
    if (raw.length < 12) throw new Error(`${name} is too short to be told from chance`);
    const forms = [
      raw,
      Buffer.from(raw.toString("base64").replace(/=+$/, "")),
      Buffer.from(raw.toString("hex")),
    ];
    this.#all.push({ name, forms, home });
  }

  get names(): string[] {
    return this.#all.map(({ name }) => name);
  }

  /** Names of those that stand in the bytes. `path`: where they are from. */
  in(bytes: Uint8Array, path: string): string[] {
    const here = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return this.#all
      .filter(({ home }) => !home.some((end) => path.endsWith(end)))
      .filter(({ forms }) => forms.some((form) => here.includes(form)))
      .map(({ name }) => name);
  }
}
