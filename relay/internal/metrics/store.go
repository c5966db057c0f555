package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/wire"
)

func newQueries(r prometheus.Registerer) *prometheus.HistogramVec {
	return histograms(r, "store_seconds", "Time that the store took to answer.",
		[]float64{.0001, .00025, .0005, .001, .0025, .005, .01, .05, .1, .5, 1, 5}, "query")
}

// measuredStore measures what sockets, logins and sessions ask of a store.
type measuredStore struct {
	store.Store
	user, device, devices, signature prometheus.Observer
}

// Store returns a store that is measured.
func (m *Metrics) Store(s store.Store) store.Store {
	gaugeFunc(m.registry, "store_up", "1 if the store answers.", func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), scrapeTime/2)
		defer cancel()
		if s.Ping(ctx) != nil {
			return 0
		}
		return 1
	})
	return measuredStore{
		Store: s, user: m.queries.WithLabelValues("user"), device: m.queries.WithLabelValues("device"),
		devices: m.queries.WithLabelValues("devices"), signature: m.queries.WithLabelValues("signature"),
	}
}

// since is to be deferred with the time at which a query begins.
func since(began time.Time, query prometheus.Observer) { query.Observe(time.Since(began).Seconds()) }

// UserByEmail implements [store.Store].
func (s measuredStore) UserByEmail(ctx context.Context, email string) (store.User, error) {
	defer since(time.Now(), s.user)
	return s.Store.UserByEmail(ctx, email)
}

// Standing implements [store.Store].
func (s measuredStore) Standing(ctx context.Context, id store.UserID, token store.TokenID) (store.User, bool, error) {
	defer since(time.Now(), s.user)
	return s.Store.Standing(ctx, id, token)
}

// Device implements [store.Store].
func (s measuredStore) Device(ctx context.Context, id wire.DeviceID) (store.Device, error) {
	defer since(time.Now(), s.device)
	return s.Store.Device(ctx, id)
}

// DevicesOf implements [store.Store].
func (s measuredStore) DevicesOf(ctx context.Context, id store.UserID) ([]wire.DeviceID, error) {
	defer since(time.Now(), s.devices)
	return s.Store.DevicesOf(ctx, id)
}

// Entitled implements [store.Store].
func (s measuredStore) Entitled(ctx context.Context, id store.UserID, device wire.DeviceID) (bool, error) {
	defer since(time.Now(), s.devices)
	return s.Store.Entitled(ctx, id, device)
}

// AcceptSignature implements [store.Store].
func (s measuredStore) AcceptSignature(ctx context.Context, id wire.DeviceID, at time.Time) error {
	defer since(time.Now(), s.signature)
	return s.Store.AcceptSignature(ctx, id, at)
}
