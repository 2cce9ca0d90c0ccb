import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { createConsoleRouter } from "./routes.tsx";
import "./theme/styles.ts";
import { createTicker } from "./ui/ticker.ts";

const queryClient = new QueryClient({
  // The event stream says what changed, so nothing is asked for again just because a window got the focus.
  defaultOptions: { queries: { refetchOnWindowFocus: false, staleTime: 30_000, retry: 1 } },
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
