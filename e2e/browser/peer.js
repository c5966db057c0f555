// Lets the page's end of a session meet a robot that is made of the browser's own
// peer connection, whose words come as the spec wants. The robot is told no candidates:
// there is a path only if the page uses the robot's.

'use strict';

window.meet = async () => {
  const { Peer } = await import('./peer.js');
  const robot = new RTCPeerConnection();
  const candidates = [];
  const gathered = new Promise((resolve) => {
    robot.onicecandidate = ({ candidate }) => (candidate ? candidates.push(candidate.toJSON()) : resolve());
  });
  robot.createDataChannel('control');
  robot.addTransceiver('video', { direction: 'sendonly' });
  const m = { robot, candidates, gathered, answers: [], channels: [], state: 'new', failed: null };
  m.page = new Peer([], {
    answer: (description) => m.answers.push(description),
    candidate: () => {},
    stream: () => {},
    channel: (channel) => m.channels.push(channel.label),
    state: (state) => { m.state = state; },
    failed: (why) => { m.failed = why; },
  });
  // offer returns a new offer of the robot's, without candidates.
  m.offer = async (options) => {
    const offer = await robot.createOffer(options);
    await robot.setLocalDescription(offer);
    return offer;
  };
  m.accept = ({ type, sdp }) => robot.setRemoteDescription({ type, sdp: sdp.replace(/^a=candidate:.*\r\n/gm, '') });
  m.ufrags = () => m.answers.map(({ sdp }) => /^a=ice-ufrag:(\S+)/m.exec(sdp)[1]);
  window.met = m;
};
