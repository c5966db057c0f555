// The words of the statistics.

export const lines = { // by the figures of a sample, in the order they are shown
  fps: { title: 'Frame rate', unit: 'per second', floor: 15 },
  kbps: { title: 'Bit rate', unit: 'kbit/s', floor: 500, beside: 'the robot sends' },
  rtt: { title: 'Round trip', unit: 'ms', floor: 20 },
  loss: { title: 'Packets lost', unit: '%', floor: 5 },
  delay: { title: 'Jitter buffer', unit: 'ms', floor: 50 },
  freezes: { title: 'Freezes in a second', unit: '', floor: 2 },
};

export const phaseTitles = { // by the step that ends it
  credentials: 'Relay gives credentials',
  offer: 'Robot offers',
  answered: 'Browser answers',
  connected: 'Path found',
  picture: 'First picture',
};

const between = (type) => {
  if (type === 'relay') return [{ kind: 'relay', title: 'TURN relay', note: 'cannot read it' }];
  return type === 'srflx' ? [{ kind: 'between', title: 'Router', note: 'found by STUN' }] : [];
};
const ends = { host: 'own address', prflx: 'found on the way' };

// stations are what the media passes from this browser to the robot, and hops how
// it goes between them.
export function stations(local, remote) {
  const all = [
    { kind: 'end', title: 'This browser', note: ends[local.candidateType] ?? '' },
    ...between(local.candidateType),
    ...between(remote?.candidateType).reverse(),
    { kind: 'end', title: 'Robot', note: ends[remote?.candidateType] ?? '' },
  ];
  const hops = all.slice(1).map(() => local.protocol);
  if (local.candidateType === 'relay') hops[0] = local.relayProtocol ?? local.protocol;
  return { stations: all, hops };
}

export const copied = 'Copied. It holds no addresses, no SDP and nothing secret.';
export const copyByHand = 'This page may not write to the clipboard. Copy it from here:';
export const missing = (titles) => (titles.length > 0 ? `This browser does not say: ${titles.join(', ').toLowerCase()}.` : '');
