import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A certificate and its key, as PEM files and text. */
export interface TestCertificate {
  certFile: string;
  cert: string;
  key: string;
  /** SHA-256 of the certificate, as openssl prints it: upper case with colons. */
  fingerprint: string;
}

const EC_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"];

/** Makes a self-signed certificate for localhost (a CA too) with the openssl CLI. */
export function selfSigned(folder: string, name: string): TestCertificate {
  const file = (ending: string) => join(folder, `${name}.${ending}`);
  const alternative = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  openssl([
    "req",
    "-x509",
    ...EC_KEY,
    "-keyout",
    file("key"),
    "-out",
    file("pem"),
    "-subj",
    `/CN=${name}`,
    ...alternative,
  ]);
  return load(file("pem"), file("key"));
}

/** Makes a certificate for `names` (as in `DNS:localhost`) that `ca` signed. */
export function signedBy(ca: string, folder: string, name: string, names: string): TestCertificate {
  const file = (ending: string) => join(folder, `${name}.${ending}`);
  const authority = ["-CA", join(folder, `${ca}.pem`), "-CAkey", join(folder, `${ca}.key`)];
  const extension = ["-addext", `subjectAltName=${names}`, "-addext", "basicConstraints=critical,CA:FALSE"];
  const request = [
    "req",
    "-x509",
    ...EC_KEY,
    "-keyout",
    file("key"),
    "-out",
    file("pem"),
    "-subj",
    `/CN=${name}`,
  ];
  openssl([...request, ...authority, ...extension]);
  return load(file("pem"), file("key"));
}

function load(certFile: string, keyFile: string): TestCertificate {
  const printed = openssl(["x509", "-in", certFile, "-noout", "-fingerprint", "-sha256"]);
  const fingerprint = printed.slice(printed.indexOf("=") + 1).trim();
  return { certFile, cert: readFileSync(certFile, "utf8"), key: readFileSync(keyFile, "utf8"), fingerprint };
}

function openssl(argv: string[]): string {
  const run = Bun.spawnSync(["openssl", ...argv], { stderr: "pipe" });
  if (run.exitCode !== 0) throw new Error(`openssl ${argv[0]} failed: ${run.stderr.toString()}`);
  return run.stdout.toString();
}
