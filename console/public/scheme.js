// Runs before the first paint, so that a dark page does not flash white. The key is the one in theme/scheme.ts.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem("restic-manager.scheme");
  } catch {
    // Storage may be forbidden; the system's scheme then decides.
  }
  var dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
  document.documentElement.style.colorScheme = dark ? "dark" : "light";
})();
