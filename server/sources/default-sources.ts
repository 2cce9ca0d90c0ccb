/** What a source group reads and what it leaves out. */
export interface Sources {
  includes: string[];
  excludes: string[];
}

/** docs/decisions/default-sources.md says why these. */
const LINUX: Sources = {
  includes: ["/etc", "/home", "/opt", "/root", "/srv", "/usr/local", "/var"],
  excludes: [
    "/home/*/.cache",
    "/home/*/.local/share/Trash",
    "/root/.cache",
    "/var/cache",
    "/var/lib/containerd",
    "/var/lib/containers/storage/overlay",
    "/var/lib/docker/containerd",
    "/var/lib/docker/image",
    "/var/lib/docker/overlay2",
    "/var/lib/lxcfs",
    "/var/lib/restic-manager-agent",
    "/var/lib/snapd/snaps",
    "/var/swap*",
    "/var/tmp",
  ],
};

const WINDOWS: Sources = {
  includes: ["C:\\Users"],
  excludes: [
    "C:\\Users\\*\\AppData\\Local\\Microsoft\\Windows\\INetCache",
    "C:\\Users\\*\\AppData\\Local\\Microsoft\\Windows\\UsrClass.dat*",
    "C:\\Users\\*\\AppData\\Local\\Temp",
    "C:\\Users\\*\\NTUSER.DAT*",
  ],
};

/** Where the data of a machine usually lies. @param os what the agent said of itself. */
export function defaultSources(os: string): Sources {
  const { includes, excludes } = os === "windows" ? WINDOWS : LINUX;
  return { includes: [...includes], excludes: [...excludes] };
}
