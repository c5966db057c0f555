package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp/internal/terminal"
)

// eventsWaiting is how many events may wait to be printed.
const eventsWaiting = 1000

var errUnread = errors.New("nobody reads what is printed")

// eventsCmd shows events.
type eventsCmd struct {
	account `embed:""`

	Device wire.DeviceID `placeholder:"ID" help:"Of this robot only. Default: of all robots of the account."`
	JSON   bool          `help:"Print each event as the JSON it is."`
}

// Help is shown by simapp events --help.
func (*eventsCmd) Help() string {
	return `Prints a line for each event, and for each robot that comes or goes, until Ctrl-C.

Examples:

    simapp events
    simapp events --device wimz_abc123 --json | jq .level`
}

// Run prints events until ctx ends, which is no error.
func (c *eventsCmd) Run(ctx context.Context, a *app) error {
	token, err := c.login(ctx, a)
	if err != nil {
		return explain(err)
	}
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	news := make(chan wire.Message, eventsWaiting)
	phone, err := c.connect(ctx, a, token, func(m wire.Message) {
		if !c.wants(m) {
			return
		}
		select {
		case news <- m:
		default:
			end(errUnread)
		}
	})
	if err != nil {
		return explain(err)
	}
	defer phone.Close()
	for {
		select {
		case m := <-news:
			if _, err = fmt.Fprintln(a.stdout, c.line(m, time.Now())); err != nil {
				return err
			}
		case <-phone.Done():
			return explain(phone.Err())
		case <-ctx.Done():
			if cause := context.Cause(ctx); errors.Is(cause, errUnread) {
				return cause
			}
			return nil
		}
	}
}

func (c *eventsCmd) wants(m wire.Message) bool {
	return (m.IsEvent() || m.Type == wire.TypeRobotStatus) && (c.Device == "" || c.Device == m.DeviceID)
}

// line is one event. What a terminal would not show as it is, is not printed.
func (c *eventsCmd) line(m wire.Message, now time.Time) string {
	if c.JSON {
		return string(wire.Encode(m))
	}
	name, fields := m.EventName(), "{"+string(m.Fields)+"}"
	if m.Type == wire.TypeRobotStatus {
		name, fields = onlineWords[*m.Online], ""
	}
	words := []string{now.Format(time.TimeOnly), string(m.DeviceID), name, fields}
	return strings.TrimSpace(terminal.Printable(strings.Join(words, "  ")))
}
