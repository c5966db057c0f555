package metrics

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"wimz.dev/live/relay/internal/hub"
	"wimz.dev/live/relay/internal/ws"
	"wimz.dev/live/relay/wire"
)

// Sockets is a [hub.Meter].
type Sockets struct {
	app, robot end
	drops      table[hub.Drop]
	errors     table[wire.Code]
}

// end is the figures of one kind of socket.
type end struct {
	open        prometheus.Gauge
	opened      prometheus.Counter
	closed      table[string]
	heard, told table[wire.Type]
}

// The causes of a socket's end that are no close code of the relay's.
const (
	closedByPeer = "closed_by_peer"
	lost         = "lost"
)

// noCloseFrame stands for an end without one (RFC 6455 §7.4.1); it is never sent.
const noCloseFrame wire.CloseCode = 1006

func newSockets(r prometheus.Registerer) *Sockets {
	open := gauges(r, "sockets", "Open WebSockets of apps and robots.", "kind")
	opened := counters(r, "sockets_opened_total", "WebSockets that were opened.", "kind")
	closed := counters(r, "sockets_closed_total", "WebSockets that have ended, by what ended them.", "kind", "cause")
	messages := counters(r, "messages_total", "Messages read from sockets (in) and queued for them (out).", "kind", "direction", "type")
	drops := counters(r, "messages_dropped_total", "Messages that went nowhere.", "reason")
	refusals := counters(r, "errors_total", "Error messages that were sent to apps and robots.", "code")
	of := func(party wire.Party) end {
		kind := prometheus.Labels{"kind": party.String()}
		in, out := prometheus.Labels{"direction": "in"}, prometheus.Labels{"direction": "out"}
		return end{
			open: open.With(kind), opened: opened.With(kind),
			closed: newTable(closed.MustCurryWith(kind), closeCauses()),
			heard:  newTable(messages.MustCurryWith(kind).MustCurryWith(in), wire.Types()),
			told:   newTable(messages.MustCurryWith(kind).MustCurryWith(out), wire.Types()),
		}
	}
	return &Sockets{
		app: of(wire.App), robot: of(wire.Robot),
		drops:  named(drops, dropReasons(), dropName),
		errors: newTable(refusals, wire.Codes()),
	}
}

func (s *Sockets) of(party wire.Party) *end {
	if party == wire.App {
		return &s.app
	}
	return &s.robot
}

// Opened implements [hub.Meter].
func (s *Sockets) Opened(of wire.Party) {
	s.of(of).open.Inc()
	s.of(of).opened.Inc()
}

// Closed implements [hub.Meter].
func (s *Sockets) Closed(of wire.Party, cause error) {
	s.of(of).open.Dec()
	s.of(of).closed.of(closeCause(cause)).Inc()
}

// Heard implements [hub.Meter].
func (s *Sockets) Heard(from wire.Party, t wire.Type) { s.of(from).heard.of(t).Inc() }

// Told implements [hub.Meter].
func (s *Sockets) Told(to wire.Party, t wire.Type) { s.of(to).told.of(t).Inc() }

// Dropped implements [hub.Meter].
func (s *Sockets) Dropped(why hub.Drop) { s.drops.of(why).Inc() }

// Refused implements [hub.Meter].
func (s *Sockets) Refused(code wire.Code) { s.errors.of(code).Inc() }

func dropReasons() []hub.Drop {
	return []hub.Drop{
		hub.DropMalformed, hub.DropUnknownType, hub.DropRateLimited, hub.DropNoSession, hub.DropUndeliverable,
	}
}

func dropName(d hub.Drop) string {
	return [...]string{"bad_message", "unknown_type", "rate_limited", "unknown_session", "undeliverable"}[d]
}

// closeCodes are the relay's own.
func closeCodes() map[wire.CloseCode]string {
	return map[wire.CloseCode]string{
		wire.CloseGoingAway: "going_away", wire.CloseTooLarge: "too_large", wire.CloseAuthEnded: "auth_ended",
		wire.CloseNoHeartbeat: "no_heartbeat", wire.CloseSuperseded: "superseded",
		wire.CloseTooSlow: "too_slow", wire.CloseReplaced: "replaced",
	}
}

func closeCauses() []string {
	causes := []string{closedByPeer, lost}
	for _, name := range closeCodes() {
		causes = append(causes, name)
	}
	return causes
}

// closeCause names what ended a socket: a close code of the relay, the other
// side, or the network between them.
func closeCause(cause error) string {
	closed, ok := errors.AsType[*ws.ClosedError](cause)
	switch {
	case !ok, closed.Code == noCloseFrame:
		return lost
	case closed.ByPeer:
		return closedByPeer
	default:
		return closeCodes()[closed.Code]
	}
}
