// The page's elements.

export const $ = (id) => document.getElementById(id);

// put changes a text only where it is another one, so that nobody is told it twice.
export const put = (element, text) => { if (element.textContent !== text) element.textContent = text; };
