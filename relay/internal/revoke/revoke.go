// Package revoke carries out what has been revoked: it follows the store's log, in
// which every relay and the command line write, and ends the sockets, sessions and
// TURN credentials that rested on what holds no more.
package revoke

import (
	"context"
	"log/slog"
	"time"

	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/wire"
)

const (
	// lookEvery is how often the log is read: what happens in another process
	// takes effect here that much later at most, and a little.
	lookEvery = time.Second
	// lookAtLeast is how often it is read while the store does not answer.
	lookAtLeast = 30 * time.Second
	// lookTime bounds reading the log once, carryOutTime one entry of it.
	lookTime     = 5 * time.Second
	carryOutTime = 2 * time.Second
)

// Log is what is followed; see [store.Revocations].
type Log interface {
	Revocations(ctx context.Context, after int64) ([]store.Revocation, error)
}

// Sessions ends sessions; see [session.Service.End].
type Sessions interface {
	End(ctx context.Context, lost func(app bus.Sender, robot wire.DeviceID) bool) []wire.DeviceID
}

// Sockets ends the sockets of apps, and tells robots of their owners; see
// [hub.Hub].
type Sockets interface {
	EndLogin(ctx context.Context, user store.UserID, token store.TokenID)
	OwnerChanged(ctx context.Context, id wire.DeviceID)
}

// Credentials ends TURN credentials; see [turn.Pool.Revoke].
type Credentials interface {
	Revoke(user string, device wire.DeviceID)
}

// Config is what a follower works with.
type Config struct {
	Log         Log
	Sessions    Sessions
	Sockets     Sockets
	Credentials Credentials
	Logger      *slog.Logger
}

// Follower follows the log. What was revoked before it began is refused at the door.
type Follower struct {
	cfg   Config
	after int64 // what has been carried out; Run's
	poke  chan struct{}
}

// New returns a follower of what comes after an entry of the log: the newest when
// the relay was made, before it had a socket. Run must follow.
func New(after int64, cfg Config) *Follower {
	return &Follower{cfg: cfg, after: after, poke: make(chan struct{}, 1)}
}

// Poke says that something has just been revoked, so that nobody waits for the next
// look. It may be called from any goroutine and returns at once.
func (f *Follower) Poke() {
	select {
	case f.poke <- struct{}{}:
	default: // a look is due already
	}
}

// Run carries out what is revoked until ctx ends.
func (f *Follower) Run(ctx context.Context) {
	pause := lookEvery
	for {
		next := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			next.Stop()
			return
		case <-f.poke:
			next.Stop()
		case <-next.C:
		}
		switch err := f.look(ctx); {
		case err == nil:
			pause = lookEvery
		case ctx.Err() == nil:
			pause = min(2*pause, lookAtLeast)
			f.cfg.Logger.ErrorContext(ctx, "the log of revocations cannot be read", "error", err, "again_in", pause)
		}
	}
}

// look carries out what is new.
func (f *Follower) look(ctx context.Context) error {
	for {
		news, err := f.read(ctx)
		if err != nil {
			return err
		}
		for _, r := range news {
			f.carryOut(ctx, r)
			f.after = r.Seq
		}
		if len(news) < store.MaxRevocations {
			return nil
		}
	}
}

func (f *Follower) read(ctx context.Context) ([]store.Revocation, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	return f.cfg.Log.Revocations(ctx, f.after)
}

// carryOut ends what one entry of the log names. The sessions come first: their
// apps hear of that before their sockets are closed.
func (f *Follower) carryOut(ctx context.Context, r store.Revocation) {
	ctx, cancel := context.WithTimeout(ctx, carryOutTime)
	defer cancel()
	user := string(r.User)
	ended := f.cfg.Sessions.End(ctx, func(app bus.Sender, robot wire.DeviceID) bool {
		return app.User == r.User && (r.Token == "" || app.Token == r.Token) && (r.Device == "" || robot == r.Device)
	})
	switch {
	case r.Device != "":
		f.cfg.Credentials.Revoke(user, r.Device)
		f.cfg.Sockets.OwnerChanged(ctx, r.Device)
	case r.Token != "":
		for _, robot := range ended { // another phone's sessions keep what they use
			f.cfg.Credentials.Revoke(user, robot)
		}
		f.cfg.Sockets.EndLogin(ctx, r.User, r.Token)
	default:
		f.cfg.Credentials.Revoke(user, "")
		f.cfg.Sockets.EndLogin(ctx, r.User, "")
	}
	f.cfg.Logger.InfoContext(ctx, "revoked", "user", r.User, "device", r.Device, "one_token", r.Token != "", "sessions", len(ended))
}
