/**
 * Each picked path once, without those that come with a picked folder anyway. `/` is everything, and then alone.
 *
 * @throws nothing; what is no path was refused before.
 */
export function pickedOnce(paths: readonly string[]): string[] {
  const all = new Set(paths.map((path) => path.replace(/(?<=.)\/+$/, "")));
  if (all.has("/")) return ["/"];
  return [...all].filter((path) => {
    for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1))
      if (all.has(path.slice(0, slash))) return false;
    return true;
  });
}
