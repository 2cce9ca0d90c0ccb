/** node:util's `inspect.custom`, by the name Node documents for it: the module itself would stay in the memory of every agent. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/**
 * A password or token that cannot be printed by accident: string conversion, JSON and inspection give
 * `[secret]`. Only `reveal()` gives the value; call it where the value leaves for restic, nowhere else.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [INSPECT](): string {
    return "[secret]";
  }
}
