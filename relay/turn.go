package relay

import (
	"context"
	"time"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/httpapi"
	"wimz.dev/live/relay/internal/turn"
)

// What asking a TURN provider over the network may take. Nobody waits for it
// that long: see [turn.Pool.Acquire].
const (
	turnAttempt = 2 * time.Second
	turnMint    = 5 * time.Second // two attempts
)

// openTURN puts a pool before the provider that the configuration names.
func (r *Relay) openTURN(ctx context.Context, cfg *Config) error {
	provider, err := r.turnProvider(cfg)
	if err != nil {
		return err
	}
	// With another first secret users have other pseudonyms in the provider's
	// accounting from then on. Nothing looks them up by those: what is revoked is
	// named by its username.
	pseudonyms := derived(cfg.JWTSecret.Parts()[0], forPseudonyms)
	r.pool, err = turn.NewPool(ctx, turn.PoolConfig{
		Provider: r.metrics.Provider(provider), IdentifierKey: pseudonyms, MintTimeout: turnMint,
		TTL: cfg.TURNCredentialTTL, Linger: cfg.TURNRevokeLinger, Log: r.log,
	})
	if err != nil {
		return err
	}
	r.metrics.Pool(r.pool)
	return nil
}

func (r *Relay) turnProvider(cfg *Config) (_ turn.Provider, err error) {
	switch cfg.Provider() {
	case config.TURNCloudflare:
		r.cloudflare, err = turn.NewCloudflare(turn.CloudflareConfig{
			BaseURL: cfg.TURNBaseURL, KeyID: cfg.TURNKeyID, APIToken: cfg.TURNAPIToken,
			RequestTimeout: turnAttempt,
		})
		breaker := turn.NewBreaker(r.cloudflare, r.log)
		r.metrics.Breaker(breaker)
		return breaker, err
	case config.TURNCoturn:
		return turn.NewCoturn(turn.CoturnConfig{URLs: cfg.TURNURLs, Secret: cfg.TURNSecret})
	case config.TURNStatic:
		return turn.NewStatic(turn.StaticConfig{
			URLs: cfg.TURNURLs, Username: cfg.TURNUsername, Password: cfg.TURNPassword,
		})
	default:
		return turn.None{}, nil
	}
}

// minter hands out credentials outside of sessions; nil without a provider.
func (r *Relay) minter(cfg *Config) httpapi.Minter {
	if cfg.Provider() == config.TURNNone {
		return nil
	}
	return r.pool
}
