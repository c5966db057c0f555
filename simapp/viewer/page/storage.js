// What this tab keeps while it is loaded again. A browser may refuse to (all cookies
// blocked): then nothing is kept.

const refusable = (work) => {
  try {
    return work();
  } catch {
    return null;
  }
};

export const recall = (key) => refusable(() => sessionStorage.getItem(key));
export const keep = (key, text) => refusable(() => sessionStorage.setItem(key, text));
export const forget = (key) => refusable(() => sessionStorage.removeItem(key));
