import type { QueryClient } from "@tanstack/react-query";
import type { AnyRouter } from "@tanstack/react-router";

/**
 * Goes to sign in and forgets all that was asked for. With `andBack` the same page is opened again after it: the session
 * ended by itself.
 */
export async function leave(router: AnyRouter, queryClient: QueryClient, andBack: boolean): Promise<void> {
  const { pathname, href } = router.state.location;
  if (pathname === "/sign-in" || pathname === "/setup") return;
  const next = andBack && href !== "/" ? `?${new URLSearchParams({ next: href }).toString()}` : "";
  queryClient.removeQueries({ queryKey: ["me"] });
  await router.navigate({ href: `/sign-in${next}` });
  queryClient.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== "setup" });
}
