// For development and for the tests that look at the components: not part of the built console.
import { createRootRoute, createRouter, RouterProvider, useRouterState } from "@tanstack/react-router";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { Components } from "./gallery/components.tsx";
import { FleetPicture } from "./gallery/fleet-picture.tsx";
import { JobPicture } from "./gallery/job-picture.tsx";
import { SessionPictures } from "./gallery/session-pictures.tsx";
import { GalleryShell } from "./gallery/shell.tsx";
import { NOW } from "./gallery/made-up.ts";
import "./theme/styles.ts";

/** The page is chosen by `?show=`, so that a log's `#L24` stays free. */
function Gallery() {
  const search = new URLSearchParams(location.search);
  useRouterState({ select: (state) => state.location.href });
  switch (search.get("show") ?? "") {
    case "fleet":
      return (
        <GalleryShell current="fleet">
          <FleetPicture hosts={Number(search.get("hosts") ?? "40")} />
        </GalleryShell>
      );
    case "job":
      return (
        <GalleryShell current="jobs">
          <JobPicture lines={Number(search.get("lines") ?? "26")} phase={search.get("phase") ?? "live"} />
        </GalleryShell>
      );
    case "sign-in":
    case "set-up":
      return <SessionPictures which={search.get("show") ?? ""} />;
    default:
      return (
        <GalleryShell current={null}>
          <Components />
        </GalleryShell>
      );
  }
}

const router = createRouter({
  routeTree: createRootRoute({ component: Gallery, notFoundComponent: () => null }),
});
const place = document.getElementById("root");
if (place !== null) {
  const clock = { now: () => NOW, subscribe: () => () => undefined };
  createRoot(place).render(
    <App ticker={clock}>
      <RouterProvider router={router as never} />
    </App>,
  );
}
