// Waiting for what is to be seen. Nothing is synchronised by sleeping.

/** More than any single step takes on a slow machine. */
export const PATIENCE = 60_000;

/** Looks until `look` gives something true, and gives that. */
export async function until(what, look, patience = PATIENCE) {
  const end = Date.now() + patience;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > end) throw new Error(`waited ${patience / 1000} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
