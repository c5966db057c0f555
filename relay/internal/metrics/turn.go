package metrics

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"wimz.dev/live/relay/internal/turn"
)

// mints is what is known of minting TURN credentials.
type mints struct {
	took     prometheus.Observer
	failures table[turn.Kind]
}

func newMints(r prometheus.Registerer) mints {
	failures := counters(r, "turn_mint_errors_total", "Attempts to get TURN credentials that failed, by cause.", "cause")
	return mints{
		took: histograms(r, "turn_mint_seconds", "Time that the TURN provider took to issue credentials or to fail.",
			[]float64{.01, .025, .05, .1, .25, .5, 1, 2, 5}).WithLabelValues(),
		failures: named(failures, failureKinds(), func(k turn.Kind) string { return failureNames()[k] }),
	}
}

func failureNames() map[turn.Kind]string {
	return map[turn.Kind]string{
		turn.KindTimeout: "timeout", turn.KindNetwork: "network", turn.KindStatus: "refused",
		turn.KindUpstream: "upstream", turn.KindTooLarge: "too_large", turn.KindMalformed: "malformed",
		turn.KindNoTURN: "no_turn", turn.KindResting: "resting",
	}
}

func failureKinds() []turn.Kind {
	var kinds []turn.Kind
	for kind := range failureNames() {
		kinds = append(kinds, kind)
	}
	return kinds
}

// provider measures another one.
type provider struct {
	turn.Provider
	mints
}

// Provider returns a provider that is measured, its breaker included.
func (m *Metrics) Provider(p turn.Provider) turn.Provider { return provider{p, m.mints} }

// Mint implements [turn.Provider].
func (p provider) Mint(ctx context.Context, ttl time.Duration, customIdentifier string) (turn.Credentials, error) {
	asked := time.Now()
	credentials, err := p.Provider.Mint(ctx, ttl, customIdentifier)
	p.observe(time.Since(asked), err)
	return credentials, err
}

// observe leaves out the time of those that the provider was not asked for.
func (m mints) observe(took time.Duration, err error) {
	var kind turn.Kind
	if failure, ok := errors.AsType[*turn.Error](err); ok {
		kind = failure.Kind
	}
	if err != nil {
		m.failures.of(kind).Inc()
	}
	if kind != turn.KindResting {
		m.took.Observe(took.Seconds())
	}
}

// Pool adds the figures of a pool.
func (m *Metrics) Pool(p *turn.Pool) {
	gaugeFunc(m.registry, "turn_credentials", "TURN credentials that are in use or kept for the next session.",
		func() float64 { return float64(p.Held()) })
}

// Breaker adds the figures of a breaker.
func (m *Metrics) Breaker(b *turn.Breaker) {
	m.registry.MustRegister(breaker{
		Breaker: b,
		state: prometheus.NewDesc(namespace+"_turn_breaker_state",
			"1 for the state that the breaker before the TURN provider is in.", []string{"state"}, nil),
		opened: prometheus.NewDesc(namespace+"_turn_breaker_opened_total",
			"How often the breaker has given the TURN provider a rest.", nil, nil),
	})
}

// breaker is the collector of one.
type breaker struct {
	*turn.Breaker
	state, opened *prometheus.Desc
}

// Describe implements [prometheus.Collector].
func (b breaker) Describe(to chan<- *prometheus.Desc) {
	to <- b.state
	to <- b.opened
}

// Collect implements [prometheus.Collector].
func (b breaker) Collect(to chan<- prometheus.Metric) {
	is, opened := b.Status()
	for _, state := range []turn.BreakerState{turn.BreakerClosed, turn.BreakerOpen, turn.BreakerHalfOpen} {
		var value float64
		if state == is {
			value = 1
		}
		to <- prometheus.MustNewConstMetric(b.state, prometheus.GaugeValue, value, string(state))
	}
	to <- prometheus.MustNewConstMetric(b.opened, prometheus.CounterValue, float64(opened))
}
