import { zoneOf, type Zone } from "@restic-manager/protocol/fire-times";

/** Finds zones by name, each made once; what is no zone, or not known yet, is UTC. */
export function knownZones(): (name: string | null) => Zone {
  const known = new Map<string, Zone>();
  return (name) => {
    const wanted = name ?? "UTC";
    const found = known.get(wanted) ?? zoneOf(wanted) ?? zoneOf("UTC");
    if (found === undefined) throw new Error("this machine has no time zones");
    known.set(wanted, found);
    return found;
  };
}
