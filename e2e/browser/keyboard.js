// Walks through the page with the Tab key, from its top, or from that of the dialog
// that is open.

'use strict';

window.keyboard = (() => {
  const kinds = 'a[href], button, input, select, textarea, summary, [tabindex]';
  let controls = [];
  let walked = [];
  const name = (element) => element.outerHTML.slice(0, 90);
  const names = (steps) => steps.map(({ element }) => name(element));

  // begin returns how many controls there are to be reached.
  function begin() {
    const scope = document.querySelector('dialog[open]') ?? document.body;
    scope.tabIndex = -1;
    scope.focus();
    scope.removeAttribute('tabindex');
    walked = [];
    controls = [...scope.querySelectorAll(kinds)].filter((e) => (
      !e.disabled && e.tabIndex >= 0 && e.checkVisibility({ visibilityProperty: true })));
    return controls.length;
  }

  // step notes what has the focus, and says whether that is another control.
  function step() {
    const element = document.activeElement;
    if (!element || element === document.body || walked.some((w) => w.element === element)) return false;
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
    const { width, top, right, bottom, left } = element.getBoundingClientRect();
    walked.push({
      element,
      seen: (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2) || boxShadow !== 'none',
      there: width > 0 && bottom > 0 && top < innerHeight && right > 0 && left < innerWidth,
    });
    return true;
  }

  function end() {
    return {
      missed: controls.filter((c) => !walked.some((w) => w.element === c)).map(name),
      unseen: names(walked.filter((w) => !w.seen)),
      nowhere: names(walked.filter((w) => !w.there)),
    };
  }

  return { begin, step, end };
})();
