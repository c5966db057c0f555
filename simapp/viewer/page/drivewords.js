// Every text a driver reads. Each says what is, and what can be done about it.

export const driveWords = {
  take: 'Take the wheel',
  letGo: 'Let go',
  states: {
    free: 'You are watching. Nothing moves the robot from here until you take the wheel.',
    taken: 'You have the wheel. Let go, and the robot stops.',
    letGo: 'You let go of the wheel.',
    blurred: 'The robot has no driver: this window lost the focus. Take the wheel again.',
    hidden: 'The robot has no driver: this page was out of sight. Take the wheel again.',
    blind: 'The robot has no driver: the picture stands still. Wait for it, then take the wheel.',
    unreachable: 'The robot does not hear you, and stops by itself. Wait for the connection, then take the wheel.',
    emergency: 'Emergency stop sent. When it is safe, take the wheel again.',
    emergencyLost: 'The emergency stop could not be sent: the connection is lost. The robot stops by itself if you drove it.',
  },
  // By the code of the robot's command_ack (CONTRACT §6).
  refused: {
    TAKEN_OVER: 'Another viewer drives now. Take the wheel to have it back: the robot stops first.',
    STOPPED: 'The robot was stopped, not by you. See that it is safe, then take the wheel again.',
    NO_SOFTWARE: 'Nothing on the robot takes commands: its own software is not running. Start it, then take the wheel.',
    BUSY: "The robot's software does not keep up. Wait a moment, then take the wheel again.",
    STALE_COMMAND: 'The command came too late to the robot. Wait for a better connection, then take the wheel again.',
    BAD_MESSAGE: 'The robot did not understand this page. Reload it, then take the wheel again.',
  },
  unknown: (text) => (text ? `The robot does not drive. It says: ${text}` : 'The robot does not drive. Take the wheel to try again.'),
};
