package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

// devicesCmd lists the robots of an account.
type devicesCmd struct {
	account `embed:""`

	JSON bool `help:"Print a JSON array instead of a table."`
}

// Help is shown by simapp devices --help.
func (*devicesCmd) Help() string {
	return `Lists your robots, and which of them are connected to the relay just now.

Examples:

    simapp devices
    simapp devices --json | jq -r '.[] | select(.is_online) | .device_id'`
}

// Run prints them.
func (c *devicesCmd) Run(ctx context.Context, a *app) error {
	token, err := c.login(ctx, a)
	if err != nil {
		return explain(err)
	}
	devices, err := simapp.Devices(ctx, c.Relay, token)
	switch {
	case err != nil:
		return explain(err)
	case c.JSON:
		return a.printJSON(append([]simapp.DeviceStatus{}, devices...)) // [], never null
	case len(devices) == 0:
		_, err = fmt.Fprintln(a.stdout, "This account has no robot yet. Pair one: simapp pair CODE")
		return err
	}
	table := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "ROBOT\tSTATE")
	for _, d := range devices {
		_, _ = fmt.Fprintf(table, "%s\t%s\n", d.DeviceID, presence(d))
	}
	return table.Flush()
}

//nolint:gochecknoglobals // a constant table
var onlineWords = map[bool]string{true: "online", false: "offline"}

func presence(d simapp.DeviceStatus) string {
	words := onlineWords[d.Online]
	if !d.Online && !d.LastSeen.IsZero() {
		words += fmt.Sprintf(", last seen %s ago", max(time.Since(d.LastSeen), 0).Round(time.Second))
	}
	return words
}

// choose returns the device that is meant: the one named, or the only one there is.
func choose(ctx context.Context, relay, token string, named wire.DeviceID) (wire.DeviceID, error) {
	if named != "" {
		return named, valid(named)
	}
	devices, err := simapp.Devices(ctx, relay, token)
	switch {
	case err != nil:
		return "", err
	case len(devices) == 0:
		return "", errors.New("this account has no robot yet; pair one: simapp pair CODE")
	case len(devices) == 1:
		return devices[0].DeviceID, nil
	}
	names := make([]string, len(devices))
	for i, d := range devices {
		names[i] = string(d.DeviceID)
		if !d.Online {
			names[i] += " (offline)"
		}
	}
	return "", fmt.Errorf("this account has several robots; choose with --device: %s", strings.Join(names, ", "))
}

// valid refuses what can be no robot's name.
func valid(named wire.DeviceID) error {
	if !named.Valid() {
		return fmt.Errorf("%q is no device; 1 to 64 of letters, digits, - and _", named)
	}
	return nil
}
