package main

import (
	"context"
	"io"

	"github.com/alecthomas/kong"

	"wimz.dev/live/relay/cli"
)

const description = `The robot of WIM-Z live video: it connects to the relay and sends its camera's
video to at most two viewers at once.

Examples:

    robot selftest
    relay device add wimz_abc123 --owner you@example.com > robot.yaml
    robot config check --config robot.yaml
    robot run --config robot.yaml
    robot pair --config robot.yaml    # if it was added without an owner

While it runs: curl http://HOST:PORT/status on its status address.`

// grammar is the command line.
type grammar struct {
	Version kong.VersionFlag `help:"Print the version."`

	Run      runCmd      `cmd:"" help:"Run the robot."`
	Selftest selftestCmd `cmd:"" help:"Test camera, codecs and connections on this machine, without a relay."`
	Pair     pairCmd     `cmd:"" help:"Show a code that makes whoever types it the robot's owner."`
	Config   struct {
		Check checkCmd `cmd:"" help:"Print the settings in force, or everything that is wrong with them."`
	} `cmd:"" help:"Look at the configuration."`
}

// output is where the commands write.
type output struct{ stdout, stderr io.Writer }

// run is the whole program but for the process: it returns the exit status. It
// ends when the command does, or soon after ctx, which is how it is told to stop.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	program := cli.Program{Name: "robot", Description: description, Stdout: stdout, Stderr: stderr}
	command, status := program.Parse(&grammar{}, args)
	if command == nil {
		return status
	}
	return program.Run(ctx, command, output{stdout, stderr})
}
