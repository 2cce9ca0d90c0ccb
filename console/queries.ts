import { queryOptions } from "@tanstack/react-query";
import { api } from "./api.ts";

/** What pages ask for, by name; the event stream patches the same entries. */
export const meQuery = queryOptions({ queryKey: ["me"], queryFn: api.me, staleTime: Infinity, retry: false });
export const setupStateQuery = queryOptions({ queryKey: ["setup"], queryFn: api.setupState, retry: false });
