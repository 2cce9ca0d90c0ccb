/**
 * The origin of an address people and agents reach the server at.
 *
 * @throws Error in words when it is no such address.
 */
export function publicAddress(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === "" || url.username !== "")
    throw new Error(`${value} must be an address such as https://backup.example.org`);
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "")
    throw new Error(`${value} must not have a path: the console lives at the root`);
  return url.origin;
}
