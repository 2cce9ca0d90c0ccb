import { Problem } from "../../protocol/api/errors.ts";

/** A zod schema, or anything else that checks. */
interface Shape<T> {
  parse: (value: unknown) => T;
}

/** Speaks the public API as a signed-in user's browser does. */
export interface ApiClient {
  /**
   * @param shape what a success must look like; what it does not name is dropped.
   * @throws Error with the API's own words and code for every answer that is no success.
   */
  call<T>(method: Method, path: string, shape: Shape<T>, body?: unknown): Promise<T>;
  /** Answers whatever the API does. A string or a `Blob` goes as it is, anything else as JSON. */
  ask(method: Method, path: string, body?: unknown): Promise<Response>;
}

type Method = "GET" | "POST" | "PUT" | "DELETE";

/** @param origin such as `http://127.0.0.1:8080`. Cookies of the answers are kept. */
export function apiClient(origin: string): ApiClient {
  const cookies = new Map<string, string>();
  const ask: ApiClient["ask"] = async (method, path, body) => {
    const response = await fetch(`${origin}${path}`, {
      // A server that was restarted does not know the connections of its former life.
      keepalive: false,
      method,
      headers: {
        Origin: origin,
        Cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; "),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === "string" || body instanceof Blob ? body : JSON.stringify(body) }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [name, value] = line.split(";", 1)[0]?.split("=", 2) ?? [];
      if (name && value) cookies.set(name, value);
    }
    return response;
  };
  return {
    ask,
    async call(method, path, shape, body) {
      const response = await ask(method, path, body);
      const answer: unknown =
        response.status === 204 ? undefined : await response.json().catch(() => undefined);
      if (response.ok) return shape.parse(answer);
      const problem = Problem.safeParse(answer).data;
      const words = problem ? `${problem.message} (${problem.code})` : "no words";
      const fields = problem?.fields ? ` ${JSON.stringify(problem.fields)}` : "";
      throw new Error(`${method} ${path} answered ${response.status}: ${words}${fields}`);
    },
  };
}
