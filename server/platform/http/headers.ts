/** An answer of the API is no page: nothing in it may load or run. Pages bring a policy of their own. */
const NO_PAGE = "default-src 'none'; frame-ancestors 'none'";

/** Sets what every answer carries, where it says nothing itself. `secure`: the client spoke TLS, and browsers shall insist on it. */
export function securityHeaders(headers: Headers, secure: boolean): void {
  const wanted: Record<string, string> = {
    "content-security-policy": NO_PAGE,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
    // A year.
    ...(secure ? { "strict-transport-security": "max-age=31536000" } : {}),
  };
  for (const [name, value] of Object.entries(wanted)) if (!headers.has(name)) headers.set(name, value);
}
