package main

import (
	"context"
	"encoding/json"
	"time"

	"wimz.dev/live/simapp/load"
)

// loadCmd measures a relay.
type loadCmd struct {
	account `embed:""`

	Robots   string        `required:"" placeholder:"DIR" help:"Folder with the configurations of robots, *.yaml."`
	Apps     int           `default:"10" placeholder:"N" help:"How many apps to connect."`
	Duration time.Duration `default:"30s" placeholder:"TIME" help:"How long to have sessions, once everybody is connected."`
}

// Help is shown by simapp load --help.
func (*loadCmd) Help() string {
	return `Connects the robots and apps of one account and lets them signal, without video: each
app has one session after the other, with ten candidates both ways. Prints figures as
JSON. The relay must run with LIMITS=off, or the limits are what is measured.

Example:

    relay user add load@example.com
    for i in $(seq 100); do relay device add load_$i --owner load@example.com > robots/$i.yaml; done
    export SIMAPP_TOKEN=$(relay token load@example.com)
    simapp load --relay ws://127.0.0.1:8000 --robots robots --apps 20 --duration 30s`
}

// Run measures and prints.
func (c *loadCmd) Run(ctx context.Context, a *app) error {
	robots, err := load.ReadRobots(c.Robots)
	if err != nil {
		return err
	}
	token, err := c.login(ctx, a)
	if err != nil {
		return explain(err)
	}
	report, err := load.Run(ctx, load.Config{
		RelayURL: c.Relay, Robots: robots, Token: token, Apps: c.Apps, For: c.Duration, Log: a.log,
	})
	if err != nil {
		return explain(err)
	}
	out := json.NewEncoder(a.stdout)
	out.SetIndent("", "  ")
	return out.Encode(report)
}
