package metrics

import (
	"cmp"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// Requests is an [httpapi.Meter].
type Requests struct {
	answers *prometheus.CounterVec // labels come from the API's own code
	denials *prometheus.CounterVec // likewise, from package auth
}

func newRequests(r prometheus.Registerer) *Requests {
	return &Requests{
		answers: counters(r, "http_requests_total", "HTTP requests, by route and status; 101 is an open socket.", "route", "status"),
		denials: counters(r, "auth_failures_total", "Credentials that were refused, by cause.", "cause"),
	}
}

// Answered implements [httpapi.Meter].
func (q *Requests) Answered(route string, status int) {
	q.answers.WithLabelValues(cmp.Or(route, other), strconv.Itoa(status)).Inc()
}

// Unauthenticated implements [httpapi.Meter].
func (q *Requests) Unauthenticated(cause string) {
	q.denials.WithLabelValues(cmp.Or(cause, other)).Inc()
}
