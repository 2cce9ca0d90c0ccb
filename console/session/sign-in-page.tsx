import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { api } from "../api.ts";
import { meQuery, setupStateQuery } from "../queries.ts";
import { Notice } from "../ui/notice.tsx";
import { Gate } from "./gate.tsx";
import { SignInForm } from "./sign-in.tsx";

const route = getRouteApi("/sign-in");

export function SignInPage() {
  const router = useRouter();
  const queryClient = useQueryClient();
  const { next } = route.useSearch();
  const { data: setup } = useSuspenseQuery(setupStateQuery);
  return (
    <Gate instance={setup.instance_name}>
      {setup.needed ? (
        <>
          <h1>Set up this server</h1>
          <Notice state="run" icon="new" title="There is no administrator yet">
            Open the one-time link that the server printed when it first started. It stands in the
            server&apos;s log.
          </Notice>
        </>
      ) : (
        <SignInForm
          onSignIn={async (username, password) => {
            queryClient.setQueryData(meQuery.queryKey, await api.signIn({ username, password }));
            // Only a path of ours: an address in the query must not lead elsewhere.
            router.history.push(next !== undefined && /^\/(?![/\\])/.test(next) ? next : "/");
          }}
        />
      )}
    </Gate>
  );
}
