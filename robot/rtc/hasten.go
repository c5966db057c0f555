package rtc

import (
	"fmt"
	"strings"
	"time"

	"github.com/pion/webrtc/v4"
)

// A connection that looks for a path is hastened every HastenInterval, as often
// as Hastenings says; afterwards pion's own pace will do.
const (
	HastenInterval = 40 * time.Millisecond
	Hastenings     = 25
)

// Hasten lets a connection that looks for a path check its candidate pairs now,
// and take the best that is good enough. pion does so every 200 ms, for which it
// has no setting, and whenever it is told a candidate of the other side. So it
// is told one: for TCP with simultaneous open (RFC 6544), which pion pairs with
// nothing. n counts the calls for one answer: a candidate that is known already
// is no news.
func Hasten(pc *webrtc.PeerConnection, n int) error {
	const discard = "candidate:0 1 tcp 1 192.0.2.1 %d typ host tcptype so" // RFC 5737: nobody is there
	return pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: fmt.Sprintf(discard, n)})
}

// Direct reports whether a candidate, or a description with candidates, names
// another path than through a TURN server.
func Direct(sdp string) bool {
	return strings.Contains(sdp, " typ host") || strings.Contains(sdp, " typ srflx") || strings.Contains(sdp, " typ prflx")
}

// Prefer makes a TURN server's candidate one that is not waited with in favour of
// a better one, because there is none. Its priority remains.
func Prefer(candidate string) string {
	return strings.Replace(candidate, " typ relay", " typ prflx", 1)
}
