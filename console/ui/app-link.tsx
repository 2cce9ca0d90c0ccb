import { useRouter } from "@tanstack/react-router";
import type { AnchorHTMLAttributes, MouseEvent } from "react";
import { useInPlace } from "./in-place.ts";

/**
 * A real link to a page of ours, given as an address. A plain click stays in the page; every other kind of click (middle,
 * with a modifier, from the menu) is the browser's. `inPlace`: to another address of the same page, which does not scroll to its top.
 */
export function AppLink({
  href,
  onClick,
  inPlace = false,
  ...rest
}: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string; inPlace?: boolean }) {
  const router = useRouter();
  const goInPlace = useInPlace();
  function follow(event: MouseEvent<HTMLAnchorElement>) {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    if (inPlace) goInPlace(href);
    else router.history.push(href);
  }
  // oxlint-disable-next-line jsx-a11y/anchor-has-content -- the content comes in with the other properties
  return <a {...rest} href={href} onClick={follow} />;
}
