import { inspect } from "node:util";

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

  [inspect.custom](): string {
    return "[secret]";
  }
}
