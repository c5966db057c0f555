package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"wimz.dev/live/relay/internal/session"
	"wimz.dev/live/relay/wire"
)

// Sessions is a [session.Meter].
type Sessions struct {
	in       [session.Closed]prometheus.Gauge    // by state
	reached  [session.Closed]prometheus.Observer // likewise
	ended    table[wire.Reason]
	forward  prometheus.Observer
	intruded prometheus.Counter
}

func newSessions(r prometheus.Registerer) *Sessions {
	in := gauges(r, "sessions", "Sessions, by how far they have come.", "state")
	reached := histograms(r, "session_reached_seconds",
		"Time from an app's request until its session was in a state; offered is the signaling latency of the robot.",
		[]float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 25}, "state")
	ended := counters(r, "sessions_ended_total", "Sessions that have ended, by reason.", "reason")
	s := &Sessions{
		ended: newTable(ended, wire.Reasons()),
		forward: histograms(r, "forward_seconds",
			"Time from reading a message of one party until what it brought about was queued for the other.",
			[]float64{25e-6, 50e-6, 100e-6, 250e-6, 500e-6, .001, .0025, .005, .01, .05, .25, 1}).WithLabelValues(),
		intruded: counters(r, "session_intrusions_total",
			"Messages for a session by somebody who is no party of it.").WithLabelValues(),
	}
	for state := range session.Closed {
		s.in[state] = in.WithLabelValues(state.String())
		s.reached[state] = reached.WithLabelValues(state.String())
	}
	return s
}

// Entered implements [session.Meter].
func (s *Sessions) Entered(state session.State, after time.Duration) {
	s.in[state].Inc()
	s.reached[state].Observe(after.Seconds())
}

// Left implements [session.Meter].
func (s *Sessions) Left(state session.State) { s.in[state].Dec() }

// Ended implements [session.Meter].
func (s *Sessions) Ended(reason wire.Reason) { s.ended.of(reason).Inc() }

// Forwarded implements [session.Meter].
func (s *Sessions) Forwarded(took time.Duration) { s.forward.Observe(took.Seconds()) }

// Intruded implements [session.Meter].
func (s *Sessions) Intruded() { s.intruded.Inc() }
