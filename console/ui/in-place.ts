import { useRouter } from "@tanstack/react-router";
import { useCallback } from "react";

/** Goes to an address of the page that is shown, such as another filter of it, without scrolling to its top. */
export function useInPlace(): (href: string, how?: "push" | "replace") => void {
  const router = useRouter();
  return useCallback(
    (href, how = "push") => void router.navigate({ href, replace: how === "replace", resetScroll: false }),
    [router],
  );
}
