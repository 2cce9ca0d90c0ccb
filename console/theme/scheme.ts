import { localStorageColorSchemeManager, type MantineColorSchemeManager } from "@mantine/core";

/** Where the browser remembers the choice; `public/scheme.js` reads it before the first paint. */
const SCHEME_KEY = "restic-manager.scheme";

/** Remembers light, dark or the system's own choice in this browser. */
export function schemeManager(): MantineColorSchemeManager {
  return localStorageColorSchemeManager({ key: SCHEME_KEY });
}
