import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { api } from "../api.ts";
import { asProblem } from "../api-problem.ts";
import { meQuery } from "../queries.ts";
import { AppLink } from "../ui/app-link.tsx";
import { Notice } from "../ui/notice.tsx";
import { Gate } from "./gate.tsx";
import { SetUpForm } from "./set-up.tsx";

const route = getRouteApi("/setup");

export function SetUpPage() {
  const router = useRouter();
  const queryClient = useQueryClient();
  const { token = "" } = route.useSearch();
  const facts = useQuery({
    queryKey: ["setup-facts", token],
    queryFn: () => api.setupFacts(token),
    enabled: token !== "",
    retry: false,
    staleTime: Infinity,
  });
  const problem = facts.error === null ? null : asProblem(facts.error);
  return (
    <Gate instance={facts.data?.instance_name ?? location.host} wide>
      {facts.data !== undefined && (
        <SetUpForm
          facts={facts.data}
          probe={(baseUrl) => api.setupProbe({ token, base_url: baseUrl })}
          onSetUp={async ({ username, password, baseUrl }) => {
            const me = await api.setup({ token, username, password, base_url: baseUrl });
            queryClient.clear();
            queryClient.setQueryData(meQuery.queryKey, me);
            router.history.push("/");
          }}
        />
      )}
      {(problem !== null || token === "") && (
        <>
          <h1>Set up this server</h1>
          <Notice state="fail" title={problem?.message ?? "This link has no set-up token in it"}>
            {problem?.hint ?? "Open the whole link that the server printed when it first started."}{" "}
            <AppLink className="link" href="/sign-in">
              Go to sign in
            </AppLink>
          </Notice>
        </>
      )}
      {facts.isLoading && <p className="quiet">Checking the link…</p>}
    </Gate>
  );
}
