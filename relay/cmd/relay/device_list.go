package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/internal/store/sqlstore"
)

// deviceListCmd lists the robots.
type deviceListCmd struct{}

// Run prints one line for each robot. The secrets are not shown.
func (*deviceListCmd) Run(ctx context.Context, a *app) error {
	return a.withStore(ctx, func(db *sqlstore.DB) error {
		devices, err := db.Devices(ctx)
		if err != nil {
			return err
		}
		users, err := db.Users(ctx)
		if err != nil {
			return err
		}
		emails := map[store.UserID]string{"": "(not paired)"}
		for _, u := range users {
			emails[u.ID] = u.Email
		}
		table := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "ID\tOWNER\tSECRETS\tADDED\tLAST SIGNED") // Flush has the error
		for _, d := range devices {
			_, _ = fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\n", d.ID, emails[d.Owner], secrets(&d), moment(d.CreatedAt), moment(d.SignedAt))
		}
		return table.Flush()
	})
}

// secrets counts those that are live: two while the robot moves to a new one.
func secrets(d *store.Device) int {
	if d.OldSecret != "" {
		return 2
	}
	return 1
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format(time.RFC3339)
}
