/** An address as the server means it. server: its own, if it is set. */
export function atServer(url: string, server: string | undefined): string {
  return server ? new URL(url, server.replace(/^ws/, "http")).href : url;
}

/** Whether it is an address of the server itself, or of whoever has served this page. */
export function isOurs(url: string, server: string | undefined): boolean {
  const here = typeof location === "undefined" ? "http://localhost" : location.href;
  if (!URL.canParse(url, here)) {
    return false;
  }
  const { origin } = new URL(url, here);
  return [here, server?.replace(/^ws/, "http") ?? here].some((one) => new URL(one, here).origin === origin);
}
