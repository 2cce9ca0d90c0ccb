import { useState } from "react";

/**
 * What somebody types while the address follows a moment later: the field must not fall back to what the address still says. The
 * address may also change without typing (back, a link); then the field follows.
 *
 * @param inAddress what the address says, without spaces around it.
 */
export function useTyped(inAddress: string): [typed: string, setTyped: (text: string) => void] {
  const [typed, setTyped] = useState(inAddress);
  const [known, setKnown] = useState(inAddress);
  if (known !== inAddress) {
    setKnown(inAddress);
    if (inAddress !== typed.trim()) setTyped(inAddress);
  }
  return [typed, setTyped];
}
