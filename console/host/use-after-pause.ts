import { useQueryClient } from "@tanstack/react-query";
import type { Schedules } from "@restic-manager/protocol/api/schedules";
import { hostQuery, schedulesQuery } from "../queries.ts";

/** Puts the answer of pausing or resuming a host where pages show it. */
export function useAfterPause(hostId: string): (schedules: Schedules) => Promise<void> {
  const queryClient = useQueryClient();
  return async (schedules) => {
    queryClient.setQueryData(schedulesQuery(hostId).queryKey, schedules);
    await queryClient.invalidateQueries({ queryKey: hostQuery(hostId).queryKey });
  };
}
