package main

import (
	"io"

	"github.com/alecthomas/kong"

	"wimz.dev/live/relay/cli"
	"wimz.dev/live/relay/internal/config"
)

const description = `Relay of WIM-Z live video: introduces robots and apps to each other.

First steps:

    echo "JWT_SECRET=$(openssl rand -hex 32)" > .env
    relay user add you@example.com
    relay device add wimz_abc123 --owner you@example.com > robot.yaml
    relay serve

Every setting is a flag and an environment variable; flags win over the
environment, that over the .env file. Secrets have no flag, as flags can be seen in
the process list: JWT_SECRET, CLOUDFLARE_TURN_API_TOKEN, TURN_SECRET and TURN_PASSWORD
come from the environment or the .env file only. A DATABASE_URL with a password
belongs there as well.`

func newProgram(stdout, stderr io.Writer) cli.Program {
	return cli.Program{
		Name: "relay", Description: description, Stdout: stdout, Stderr: stderr,
		Options: append(config.Options(),
			kong.ExplicitGroups([]kong.Group{{Key: "settings", Title: "Settings:"}}),
			kong.Help(printHelp),
		),
		Prepare: config.OwnEnvironment,
	}
}

// printHelp shows the settings with the commands that use them all; the others
// need little more than the database.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	var all bool
	if selected := ctx.Selected(); selected != nil {
		all = selected.Name == "serve" || selected.Name == "check"
	}
	for _, flag := range ctx.Model.Flags {
		if flag.Group != nil && flag.Name != "database-url" {
			flag.Hidden = !all
		}
	}
	return kong.DefaultHelpPrinter(options, ctx)
}
