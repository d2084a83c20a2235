/** How we see that a process is ready: an address that answers 200, or a line that it prints. */
export type Readiness =
  | { readonly kind: "http"; readonly url: string }
  | { readonly kind: "line"; readonly pattern: RegExp };

/** Whether an address answers 200 within a second. A refused connection is an answer too: no. */
export async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1_000) });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false;
  }
}
