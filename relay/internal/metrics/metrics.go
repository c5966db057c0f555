// Package metrics says in figures what a relay does, for Prometheus. It is the
// only package that knows Prometheus: those that are measured have a Meter
// interface of their own, which a type here implements, or are wrapped.
//
// Every label value is a constant of ours. Identifiers and whatever else comes
// from outside never become one: each new value costs memory for ever.
package metrics

import (
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// namespace begins every name: a robot has figures of its own.
const namespace = "wimz_relay"

// other is the label value of what is none of the known.
const other = "other"

// scrapeTime bounds a scrape.
const scrapeTime = 5 * time.Second

// Metrics is the figures of one relay. Its methods may be called from any
// goroutine.
type Metrics struct {
	Sockets  *Sockets  // for the hub
	Sessions *Sessions // for the sessions
	Requests *Requests // for the HTTP API

	registry *prometheus.Registry
	mints    mints
	queries  *prometheus.HistogramVec
}

// New returns figures on a registry of their own.
func New(version string) *Metrics {
	r := prometheus.NewRegistry()
	build := gauges(r, "build_info", "1, with the version of the relay.", "version", "go_version")
	build.WithLabelValues(version, runtime.Version()).Set(1)
	r.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return &Metrics{
		Sockets: newSockets(r), Sessions: newSessions(r), Requests: newRequests(r),
		registry: r, mints: newMints(r), queries: newQueries(r),
	}
}

// Handler serves the figures in Prometheus' text format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Timeout: scrapeTime, MaxRequestsInFlight: 4})
}

func counters(r prometheus.Registerer, name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	r.MustRegister(c)
	return c
}

func gauges(r prometheus.Registerer, name, help string, labels ...string) *prometheus.GaugeVec {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, labels)
	r.MustRegister(g)
	return g
}

// histograms measures seconds.
func histograms(r prometheus.Registerer, name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: namespace, Name: name, Help: help, Buckets: buckets,
	}, labels)
	r.MustRegister(h)
	return h
}

// gaugeFunc is a figure that is looked up when it is asked for.
func gaugeFunc(r prometheus.Registerer, name, help string, value func() float64) {
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, value))
}

// table is a counter for each of a fixed set of values of a label, to be found
// without allocating; whatever else there is counts as other.
type table[K comparable] struct {
	known map[K]prometheus.Counter
	other prometheus.Counter
}

// newTable makes the counters of the values; curried has the other labels.
func newTable[K ~string](curried *prometheus.CounterVec, values []K) table[K] {
	return named(curried, values, func(k K) string { return string(k) })
}

// named is [newTable] for keys that are not the label values themselves.
func named[K comparable](curried *prometheus.CounterVec, keys []K, name func(K) string) table[K] {
	t := table[K]{known: map[K]prometheus.Counter{}, other: curried.WithLabelValues(other)}
	for _, k := range keys {
		t.known[k] = curried.WithLabelValues(name(k))
	}
	return t
}

func (t table[K]) of(k K) prometheus.Counter {
	if c, ok := t.known[k]; ok {
		return c
	}
	return t.other
}
