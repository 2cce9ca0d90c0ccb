import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import { ApiProblem } from "./api-problem.ts";
import { meQuery, setupStateQuery } from "./queries.ts";
import { readCompareSearch } from "./compare/compare-search.ts";
import { readFleetSearch } from "./fleet/fleet-search.ts";
import { readJobsSearch } from "./jobs/jobs-search.ts";
import { readWizardSearch } from "./restore/wizard-search.ts";
import { SignedIn } from "./shell/signed-in.tsx";
import { NotFound, RouteProblem } from "./shell/route-problem.tsx";

/** The whole sitemap. Every page comes when it is first opened; what a page shows is in its address. */

interface Context {
  queryClient: QueryClient;
}

const root = createRootRouteWithContext<Context>()({ notFoundComponent: NotFound });

const setup = createRoute({
  getParentRoute: () => root,
  path: "/setup",
  validateSearch: (search: Record<string, unknown>) => ({ token: textOf(search["token"]) }),
  component: lazyRouteComponent(() => import("./session/set-up-page.tsx"), "SetUpPage"),
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search: Record<string, unknown>) => ({ next: textOf(search["next"]) }),
  loader: ({ context }) => context.queryClient.ensureQueryData(setupStateQuery),
  component: lazyRouteComponent(() => import("./session/sign-in-page.tsx"), "SignInPage"),
});

/** Everything below needs somebody to be signed in; who is not is sent to sign in, and back. */
const signedIn = createRoute({
  getParentRoute: () => root,
  id: "signed-in",
  component: SignedIn,
  async beforeLoad({ context, location }) {
    const { queryClient } = context;
    if (queryClient.getQueryData(meQuery.queryKey) !== undefined) return;
    const toSignIn = () =>
      redirect({ to: "/sign-in", search: { next: location.href === "/" ? undefined : location.href } });
    const state = await queryClient.fetchQuery({ ...setupStateQuery, staleTime: 0 });
    if (!state.signed_in) throw toSignIn();
    try {
      await queryClient.ensureQueryData(meQuery);
    } catch (error) {
      if (!(error instanceof ApiProblem) || error.status !== 401) throw error;
      throw toSignIn();
    }
  },
});

const fleet = createRoute({
  getParentRoute: () => signedIn,
  path: "/",
  validateSearch: readFleetSearch,
  component: lazyRouteComponent(() => import("./fleet/fleet-page.tsx"), "FleetPage"),
});

const addHost = createRoute({
  getParentRoute: () => signedIn,
  path: "/hosts/add",
  validateSearch: (search: Record<string, unknown>) => ({ enrollment: textOf(search["enrollment"]) }),
  component: lazyRouteComponent(() => import("./enrolment/add-host-page.tsx"), "AddHostPage"),
});

const host = createRoute({
  getParentRoute: () => signedIn,
  path: "/hosts/$hostId",
  validateSearch: (search: Record<string, unknown>) => ({
    tab: textOf(search["tab"]),
    snapshot: textOf(search["snapshot"]),
    group: textOf(search["group"]),
    schedule: textOf(search["schedule"]),
    ...textsOf(search, ["q", "tag", "day", "odd", "sort", "order"]),
  }),
  component: lazyRouteComponent(() => import("./host/host-page.tsx"), "HostPage"),
});

const restore = createRoute({
  getParentRoute: () => signedIn,
  path: "/hosts/$hostId/restore",
  component: lazyRouteComponent(() => import("./restore/restore-page.tsx"), "RestorePage"),
});

const snapshotRestore = createRoute({
  getParentRoute: () => signedIn,
  path: "/hosts/$hostId/snapshots/$snapshotId/restore",
  validateSearch: readWizardSearch,
  component: lazyRouteComponent(() => import("./restore/restore-page.tsx"), "SnapshotRestorePage"),
});

const jobs = createRoute({
  getParentRoute: () => signedIn,
  path: "/jobs",
  validateSearch: readJobsSearch,
  component: lazyRouteComponent(() => import("./jobs/jobs-page.tsx"), "JobsPage"),
});

const job = createRoute({
  getParentRoute: () => signedIn,
  path: "/jobs/$jobId",
  // A comparison's filter; other kinds have none.
  validateSearch: readCompareSearch,
  component: lazyRouteComponent(() => import("./jobs/job-page.tsx"), "JobPage"),
});

const policies = createRoute({
  getParentRoute: () => signedIn,
  path: "/policies",
  component: lazyRouteComponent(() => import("./policies/policies-page.tsx"), "PoliciesPage"),
});

const newTemplate = createRoute({
  getParentRoute: () => signedIn,
  path: "/policies/new",
  validateSearch: (search: Record<string, unknown>) => ({ from: textOf(search["from"]) }),
  component: lazyRouteComponent(() => import("./policies/new-template-page.tsx"), "NewTemplatePage"),
});

const template = createRoute({
  getParentRoute: () => signedIn,
  path: "/policies/$templateId",
  validateSearch: (search: Record<string, unknown>) => ({ tab: textOf(search["tab"]) }),
  component: lazyRouteComponent(() => import("./policies/template-page.tsx"), "TemplatePage"),
});

const applyTemplate = createRoute({
  getParentRoute: () => signedIn,
  path: "/policies/$templateId/apply",
  validateSearch: (search: Record<string, unknown>) => ({ tag: textOf(search["tag"]) }),
  component: lazyRouteComponent(() => import("./policies/apply-page.tsx"), "ApplyPage"),
});

const pages = signedIn.addChildren([
  fleet,
  addHost,
  host,
  restore,
  snapshotRestore,
  jobs,
  job,
  policies,
  newTemplate,
  template,
  applyTemplate,
]);
const tree = root.addChildren([setup, signIn, pages]);

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Those of these that the address says something of. */
function textsOf<Name extends string>(
  search: Record<string, unknown>,
  names: readonly Name[],
): Partial<Record<Name, string>> {
  const given: Partial<Record<Name, string>> = {};
  for (const name of names) {
    const text = textOf(search[name]);
    if (text !== undefined) given[name] = text;
  }
  return given;
}

function writeSearch(search: Record<string, unknown>): string {
  const given = Object.entries(search).flatMap(([name, value]) =>
    typeof value === "string" ? [[name, value]] : [],
  );
  return given.length === 0 ? "" : `?${new URLSearchParams(given).toString()}`;
}

/** The console's router; `queryClient` holds what its pages have asked for. */
export function createConsoleRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree: tree,
    context: { queryClient },
    // Every value is text, so that a host called 0123 stays what it is.
    parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
    stringifySearch: writeSearch,
    defaultErrorComponent: RouteProblem,
    defaultPreload: "intent",
    scrollRestoration: true,
    scrollToTopSelectors: ["#content"],
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createConsoleRouter>;
  }
}
