package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"text/tabwriter"
	"time"

	"wimz.dev/live/relay/internal/certificate"
	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store/sqlstore"
)

// configCheckCmd looks at the configuration.
type configCheckCmd struct{}

// Help is shown by relay config check --help.
func (*configCheckCmd) Help() string {
	return `Reads flags, environment and .env file as relay serve does, looks at certificate and
key, and tries to reach the database. Changes nothing. Prints every setting, secrets
as ***, and ok; or everything that is wrong, with exit status 1.`
}

// Run prints the settings if they are all right.
func (*configCheckCmd) Run(ctx context.Context, a *app) error {
	expires, badCertificate := certificateExpiry(&a.cfg)
	if err := a.check(a.cfg.Validate(), badCertificate, reachDatabase(ctx, a.cfg.DatabaseURL)); err != nil {
		return err
	}
	table := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	for _, v := range a.cfg.Variables() {
		_, _ = fmt.Fprintf(table, "%s\t%s\n", v.Name, show(v.Value)) // Flush has the error
	}
	if a.cfg.TLS() {
		_, _ = fmt.Fprintf(table, "certificate expires\t%s\n", expires.Format(time.RFC3339))
	}
	_, _ = fmt.Fprintf(table, "TURN credentials from\t%s\n", a.cfg.Provider())
	_, _ = fmt.Fprintf(table, "listens on\t%s\n", a.cfg.Addr())
	if a.cfg.LimitMode == config.LimitsOff {
		_, _ = fmt.Fprintln(table, "WARNING\tLIMITS is off: nobody is held back")
	}
	_, _ = fmt.Fprintln(table, "ok")
	return table.Flush()
}

// certificateExpiry reads certificate and key, if there are any.
func certificateExpiry(cfg *config.Config) (time.Time, error) {
	if cfg.TLSCertFile == "" || cfg.TLSKeyFile == "" {
		return time.Time{}, nil
	}
	files, err := certificate.Load(cfg.TLSCertFile, cfg.TLSKeyFile, slog.New(slog.DiscardHandler))
	if err != nil {
		return time.Time{}, fmt.Errorf("TLS_CERT_FILE: %w", err)
	}
	expires := files.Current().Leaf.NotAfter
	if time.Now().After(expires) {
		return expires, fmt.Errorf("TLS_CERT_FILE: %s expired on %s: renew it", cfg.TLSCertFile, expires.Format(time.DateOnly))
	}
	return expires, nil
}

// reachDatabase asks a database whose URL is in order.
func reachDatabase(ctx context.Context, url config.DatabaseURL) error {
	if url.Check() == nil { // else Validate says so
		if err := sqlstore.Reach(ctx, url); err != nil {
			return fmt.Errorf("DATABASE_URL: %w", err)
		}
	}
	return nil
}

func show(value any) string {
	switch v := value.(type) {
	case config.Secret:
		if v == "" {
			return "(not set)"
		}
	case []string:
		value = strings.Join(v, ",")
	}
	if text := fmt.Sprint(value); text != "" {
		return text
	}
	return "(not set)"
}
