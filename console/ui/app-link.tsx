import { useRouter } from "@tanstack/react-router";
import type { AnchorHTMLAttributes, MouseEvent } from "react";

/**
 * A real link to a page of ours, given as an address. A plain click stays in the page; every other kind of click (middle,
 * with a modifier, from the menu) is the browser's.
 */
export function AppLink({
  href,
  onClick,
  ...rest
}: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }) {
  const router = useRouter();
  function follow(event: MouseEvent<HTMLAnchorElement>) {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    router.history.push(href);
  }
  // oxlint-disable-next-line jsx-a11y/anchor-has-content -- the content comes in with the other properties
  return <a {...rest} href={href} onClick={follow} />;
}
