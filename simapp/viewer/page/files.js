// Files that the browser saves.

// fileName says which robot it was and when: wimz_kitchen-2026-03-01-142309.png.
export function fileName(robot, ending, now = new Date()) {
  const two = (n) => String(n).padStart(2, '0');
  const day = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join('-');
  const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join('');
  const name = robot.replace(/[^A-Za-z0-9_-]+/g, '_').slice(0, 60) || 'robot';
  return `${name}-${day}-${time}.${ending}`;
}

export function download(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
