import { TextInput } from "@mantine/core";
import type { ReactNode } from "react";

interface NumberFieldProps {
  label: ReactNode;
  /** Text while it is no number, which the server then refuses in words; empty when nothing is written. */
  value?: number | string;
  onChange: (value: number | string) => void;
  description?: ReactNode;
  error?: ReactNode;
  placeholder?: string;
  /** Also with a fraction. */
  decimal?: boolean;
  className?: string | undefined;
}

/** A field for a number that keeps whatever is typed: no arrows, and no wheel that changes it while somebody scrolls. */
export function NumberField({ value = "", onChange, decimal = false, ...rest }: NumberFieldProps) {
  const pattern = decimal ? /^\d+(\.\d+)?$/ : /^\d+$/;
  return (
    <TextInput
      {...rest}
      inputMode={decimal ? "decimal" : "numeric"}
      autoComplete="off"
      value={String(value)}
      onChange={({ currentTarget }) => {
        const text = currentTarget.value.trim();
        onChange(pattern.test(text) ? Number(text) : text);
      }}
    />
  );
}

/** What is wrong with what such a field holds, or null; nothing written is nothing wrong. */
export function notANumber(value: number | string): string | null {
  return typeof value === "number" || value === "" ? null : "Must be a number";
}
