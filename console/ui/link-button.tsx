import { Button, type ButtonProps } from "@mantine/core";
import type { ReactNode } from "react";
import { AppLink } from "./app-link.tsx";

/** A button's look on a real link, for the one thing a page is there to lead to. */
export function LinkButton({ href, children, ...rest }: ButtonProps & { href: string; children: ReactNode }) {
  return (
    <Button component={AppLink} href={href} {...rest}>
      {children}
    </Button>
  );
}
