/** The console is one program from one place: no frame around it, no code or font from elsewhere. */
const POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  // Mantine and RapiDoc set styles on elements.
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

/** Sets what every answer carries. `secure`: the client spoke TLS, so browsers shall insist on it for a year. */
export function securityHeaders(headers: Headers, secure: boolean): void {
  if (!headers.has("content-security-policy")) headers.set("content-security-policy", POLICY);
  headers.set("x-content-type-options", "nosniff");
  headers.set("x-frame-options", "DENY");
  headers.set("referrer-policy", "same-origin");
  headers.set("cross-origin-opener-policy", "same-origin");
  headers.set("permissions-policy", "camera=(), microphone=(), geolocation=()");
  if (secure) headers.set("strict-transport-security", "max-age=31536000");
}
