/** Which nodes are on screen, or nearly: what nobody sees costs nothing. */

const watched = new WeakMap();

const watcher = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) watched.get(target)?.(isIntersecting);
});

/** `moved` is told whether the node is on screen, at once and whenever that changes. */
export function watch(node, moved) {
  watched.set(node, moved);
  watcher.observe(node);
}
