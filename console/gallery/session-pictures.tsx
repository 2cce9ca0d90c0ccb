import { ApiProblem } from "../api-problem.ts";
import { Gate } from "../session/gate.tsx";
import { SetUpForm } from "../session/set-up.tsx";
import { SignInForm } from "../session/sign-in.tsx";

/** Sign-in, which always refuses, and set-up. */
export function SessionPictures({ which }: { which: string }) {
  const refuse = () =>
    Promise.reject(
      new ApiProblem(
        {
          code: "wrong_credentials",
          message: "That did not match an account",
          hint: "Check the user name and the password. After 5 tries this address waits 15 minutes.",
        },
        401,
      ),
    );
  return which === "sign-in" ? (
    <Gate instance="vault.nordkai.example">
      <SignInForm onSignIn={refuse} />
    </Gate>
  ) : (
    <Gate instance="vault.nordkai.example" wide>
      <SetUpForm
        facts={{
          instance_name: "vault.nordkai.example",
          base_url: "https://vault.nordkai.example",
          base_url_fixed: false,
          secret_key_file: "/var/lib/restic-manager/secret.key",
          key_id: "k1",
        }}
        probe={() =>
          Promise.resolve({ reachable: true, message: "Reachable: it leads back to this server." })
        }
        onSetUp={refuse}
      />
    </Gate>
  );
}
