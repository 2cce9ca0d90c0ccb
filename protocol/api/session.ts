import { z } from "zod";
import { UserId } from "../ids.ts";

/** From least to most: each may do what those before it may. */
export const ROLES = ["viewer", "operator", "admin"] as const;
export const Role = z.enum(ROLES);
export type Role = z.infer<typeof Role>;

export const Username = z
  .string()
  .min(1, "enter a user name")
  .max(64, "at most 64 characters")
  .regex(
    /^[a-zA-Z0-9][a-zA-Z0-9._@-]*$/,
    "letters, digits, dot, dash, underscore and @; starts with a letter or digit",
  );
/** At least 10 characters; the upper bound keeps hashing bounded. */
export const NewPassword = z.string().min(10, "at least 10 characters").max(256, "at most 256 characters");

export const SignIn = z.strictObject({
  username: z.string().min(1).max(256),
  password: z.string().min(1).max(256),
});
export type SignIn = z.infer<typeof SignIn>;

export const User = z.object({ id: UserId, username: z.string(), role: Role });
export type User = z.infer<typeof User>;

/** Who is signed in, and where. */
export const Me = z.object({
  user: User,
  instance: z.object({ name: z.string(), base_url: z.string(), version: z.string() }),
});
export type Me = z.infer<typeof Me>;

/** What the sign-in page may know before anybody has signed in. */
export const SetupState = z.object({
  needed: z.boolean(),
  instance_name: z.string(),
  /** Whether this browser has a session: asked first, so that a first visit makes no request that is refused. */
  signed_in: z.boolean(),
});
export type SetupState = z.infer<typeof SetupState>;

/** Shown to whoever has the one-time set-up token. */
export const SetupFacts = z.object({
  instance_name: z.string(),
  base_url: z.string(),
  /** True when `RM_BASE_URL` fixes it. */
  base_url_fixed: z.boolean(),
  secret_key_file: z.string(),
  key_id: z.string(),
});
export type SetupFacts = z.infer<typeof SetupFacts>;
export const SetupCheck = z.strictObject({ token: z.string().min(1).max(256) });

const BaseUrl = z
  .url({ protocol: /^https?$/, error: "must be an address such as https://backup.example.org" })
  .max(512)
  .transform((value) => value.replace(/\/+$/, ""));

/** Probes whether `base_url` leads back to this server. */
export const SetupProbe = z.strictObject({ token: z.string().min(1).max(256), base_url: BaseUrl });
export const SetupProbeResult = z.object({ reachable: z.boolean(), message: z.string() });
export type SetupProbeResult = z.infer<typeof SetupProbeResult>;

export const Setup = z.strictObject({
  token: z.string().min(1).max(256),
  username: Username,
  password: NewPassword,
  base_url: BaseUrl,
});
export type Setup = z.infer<typeof Setup>;
