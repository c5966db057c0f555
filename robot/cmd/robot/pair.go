package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"wimz.dev/live/relay/cli"
	"wimz.dev/live/relay/client"
	"wimz.dev/live/robot"
)

// maxPause is how long a relay that is asked too often is waited for.
const maxPause = 5 * time.Second

// pairCmd shows a pairing code.
type pairCmd struct{ configFlag }

// Help is shown by robot pair --help.
func (*pairCmd) Help() string {
	return `Shows a code. Whoever types it in the app owns this robot from then on and can watch it.
A robot that has an owner stays theirs until they unpair it. The robot may be running
meanwhile.

Example:

    robot pair --config robot.yaml`
}

// Run asks the relay for a code and shows it.
func (c *pairCmd) Run(ctx context.Context, out output) error {
	cfg, err := robot.LoadConfig(c.Config)
	if err != nil {
		return err
	}
	if !cfg.Cloud.Enabled {
		return errors.New("cloud.enabled is false, so nobody could watch; switch it on first")
	}
	pairing, err := register(ctx, &cfg)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out.stdout, `Type this code in the app:

    %s

It works once, within %s (until %s).
`, pairing.Code.Reveal(), span(pairing.ExpiresIn), time.Now().Add(pairing.ExpiresIn).Format(time.TimeOnly))
	return err
}

// register asks a second time if it has to: the running robot may have signed
// within the same second, and a signature gets a code only once.
func register(ctx context.Context, cfg *robot.Config) (client.Pairing, error) {
	ask := func() (client.Pairing, error) {
		return client.Register(ctx, cfg.Cloud.RelayURL, cfg.Cloud.DeviceID, string(cfg.Cloud.DeviceSecret), cli.Version())
	}
	pairing, err := ask()
	refused, _ := errors.AsType[*client.APIError](err)
	switch {
	case refused == nil:
	case refused.Status == http.StatusTooManyRequests && refused.RetryAfter <= maxPause:
		select {
		case <-time.After(refused.RetryAfter):
			return ask()
		case <-ctx.Done():
		}
	case refused.Status == http.StatusUnauthorized:
		err = fmt.Errorf("%w; check cloud.device_id, cloud.device_secret and this machine's clock", err)
	}
	return pairing, err
}

// span is a length of time for people.
func span(d time.Duration) string {
	if d >= 2*time.Minute {
		return fmt.Sprintf("%.0f minutes", d.Minutes())
	}
	return fmt.Sprintf("%.0f seconds", d.Seconds())
}
