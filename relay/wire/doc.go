// Package wire is the protocol that relay, robot and app speak, in Go: message
// types and their rules, limits, close codes and device signatures. It does
// no I/O and needs nothing but the standard library. CONTRACT.md beside this
// file is the same protocol in words; a test keeps the two equal.
//
// One session on the wire:
//
//	app                        relay                        robot
//	 │── webrtc_request ────────►│                            │
//	 │◄─ webrtc_credentials ─────│── webrtc_request ─────────►│
//	 │◄──────────────────────────┼──────────── webrtc_offer ──│
//	 │── webrtc_answer ──────────┼───────────────────────────►│
//	 │◄─ webrtc_ice ─────────────┼──────────── webrtc_ice ───►│
//	 │◄═════════ media: direct, or through a TURN server ════►│
//	 │── webrtc_close ──────────►│── webrtc_close ───────────►│
//	 │◄─ webrtc_close ───────────│                            │
//
// Messages are JSON objects in WebSocket text frames. [Decode] is the only way
// in: what it returns is complete, bounded and holds no field its type does not
// have, so it may be forwarded as it is.
package wire
