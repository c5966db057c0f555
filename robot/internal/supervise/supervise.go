// Package supervise tells systemd how the robot is (sd_notify(3)): that it is
// ready, what it does, that it stops, and, for as long as that is true, that it
// lives. A robot that hangs is not spoken for, and systemd starts it anew.
package supervise

import (
	"context"
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

const (
	// statusInterval is how often the status is told where no watchdog asks oftener.
	statusInterval = 3 * time.Second
	// longPatience is how long the service may take to answer where no watchdog asks.
	longPatience = 10 * time.Second
)

// Service is what is supervised.
type Service interface {
	// Alive returns nil if the service can do its work. It gives up with ctx.
	Alive(ctx context.Context) error
	// Summary is what it does, in a few words.
	Summary() string
}

// Run speaks for a service that has started, until ctx ends. Where no systemd
// listens it returns at once.
func Run(ctx context.Context, service Service, log *slog.Logger) {
	interval, patience := statusInterval, longPatience
	watchdog, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.WarnContext(ctx, "no watchdog", "error", err)
	}
	if watchdog > 0 {
		patience = watchdog / 3 // one may come late
		interval = min(interval, patience)
	}
	if !tell(ctx, log, daemon.SdNotifyReady+"\nSTATUS=started") {
		return
	}
	defer tell(ctx, log, daemon.SdNotifyStopping)
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		if check(ctx, service, patience, log) {
			tell(ctx, log, daemon.SdNotifyWatchdog+"\nSTATUS="+service.Summary())
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// check asks the service whether it lives.
func check(ctx context.Context, service Service, patience time.Duration, log *slog.Logger) bool {
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := service.Alive(bounded)
	if err != nil && ctx.Err() == nil {
		log.ErrorContext(ctx, "the robot hangs; systemd will start it anew", "error", err)
	}
	return err == nil
}

// tell reports whether systemd listens.
func tell(ctx context.Context, log *slog.Logger, state string) bool {
	told, err := daemon.SdNotify(false, state)
	if err != nil {
		log.WarnContext(ctx, "systemd was not told", "error", err)
	}
	return told
}
