// Package harness runs the whole system on this machine: relay, robots, the
// fake of Cloudflare's API and a TURN server, for the suites and for the demo.
//
// The programs come from a [Backend]: as goroutines of this process (fast, and
// the leak check sees them) or as the binaries that are shipped. Either way
// they are spoken to by their public faces only, so that a spec does not know
// which it runs on.
package harness
