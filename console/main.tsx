import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { asProblem } from "./api-problem.ts";
import { App } from "./app.tsx";
import { createConsoleRouter } from "./routes.tsx";
import { leave } from "./session/leave.ts";
import "./theme/styles.ts";
import { createTicker } from "./ui/ticker.ts";

/** What the server refused it refuses again. */
function isWorthRetrying(failures: number, error: unknown): boolean {
  const { status } = asProblem(error);
  return failures < 1 && (status === 0 || status >= 500);
}

/** Whatever finds out first that the session is over leads to sign in, and back. */
const onError = (error: unknown) => {
  if (asProblem(error).code === "unauthenticated") void leave(router, queryClient, true);
};
const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  // The event stream says what changed, so nothing is asked for again just because a window got the focus.
  defaultOptions: { queries: { refetchOnWindowFocus: false, staleTime: 30_000, retry: isWorthRetrying } },
});
const router = createConsoleRouter(queryClient);
const place = document.getElementById("root");
if (place === null) throw new Error("index.html has no element with the id root");

createRoot(place).render(
  <StrictMode>
    <App ticker={createTicker(() => Date.now())}>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </App>
  </StrictMode>,
);
