package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/internal/store/sqlstore"
)

// userListCmd lists the accounts.
type userListCmd struct{}

// Help is shown by relay user list --help.
func (*userListCmd) Help() string {
	return `Example, the addresses of those who are disabled:

    relay user list | awk '$3 == "disabled" {print $1}'`
}

// Run prints one line for each account.
func (*userListCmd) Run(ctx context.Context, a *app) error {
	return a.withStore(ctx, func(db *sqlstore.DB) error {
		users, err := db.Users(ctx)
		if err != nil {
			return err
		}
		devices, err := db.Devices(ctx)
		if err != nil {
			return err
		}
		robots := map[store.UserID]int{}
		for _, d := range devices {
			robots[d.Owner]++
		}
		table := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "EMAIL\tROBOTS\tSTATE\tADDED\tID") // Flush has the error
		for _, u := range users {
			state := "active"
			if u.Disabled {
				state = "disabled"
			}
			_, _ = fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\n", u.Email, robots[u.ID], state, moment(u.CreatedAt), u.ID)
		}
		return table.Flush()
	})
}
