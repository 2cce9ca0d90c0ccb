import { dlopen, ptr } from "bun:ffi";

const NOT_SET = -1;

/** Extended attributes, which the runtime has no words for. */
export function extendedAttributes() {
  const { symbols } = dlopen("libc.so.6", {
    lsetxattr: { args: ["ptr", "ptr", "ptr", "usize", "int"], returns: "int" },
    lgetxattr: { args: ["ptr", "ptr", "ptr", "usize"], returns: "i64" },
  });
  const text = (value: string | Uint8Array): Buffer => Buffer.concat([Buffer.from(value), Buffer.from([0])]);
  return {
    /** False where the file system keeps none. */
    set(path: string | Uint8Array, name: string, value: string): boolean {
      const bytes = Buffer.from(value);
      return symbols.lsetxattr(ptr(text(path)), ptr(text(name)), ptr(bytes), bytes.byteLength, 0) !== NOT_SET;
    },
    get(path: string | Uint8Array, name: string): string | undefined {
      const room = Buffer.alloc(4_096);
      const size = Number(symbols.lgetxattr(ptr(text(path)), ptr(text(name)), ptr(room), room.byteLength));
      return size === NOT_SET ? undefined : room.subarray(0, size).toString();
    },
  };
}
