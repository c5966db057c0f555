package main

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"
)

// Exit statuses.
const (
	exitOK     = 0
	exitFailed = 1 // the command could not do its work
	exitUsage  = 2 // the command line makes no sense
)

const description = `The robot of WIM-Z live video: it connects to the relay and sends its camera's
video to at most two viewers at once.

Examples:

    relay device add wimz_abc123 --owner you@example.com > robot.yaml
    robot config check --config robot.yaml
    robot run --config robot.yaml

While it runs: curl http://HOST:PORT/status on its status address.`

// grammar is the command line.
type grammar struct {
	Version kong.VersionFlag `help:"Print the version."`

	Run    runCmd `cmd:"" help:"Run the robot."`
	Config struct {
		Check checkCmd `cmd:"" help:"Print the settings in force, or everything that is wrong with them."`
	} `cmd:"" help:"Look at the configuration."`
}

// output is where the commands write.
type output struct{ stdout, stderr io.Writer }

// run is the whole program but for the process: it returns the exit status. It
// ends when the command does, or soon after ctx, which is how it is told to stop.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var cli grammar
	var printed bool // --help or --version has done its work
	parser, err := kong.New(&cli,
		kong.Name("robot"),
		kong.Description(description),
		kong.Vars{"version": version()},
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { printed = true }),
		kong.ConfigureHelp(kong.HelpOptions{NoAppDescFormat: true, WrapUpperBound: 100}),
	)
	if err != nil {
		return report(stderr, err, exitFailed)
	}
	command, err := parser.Parse(args)
	if printed {
		return exitOK
	}
	if err != nil {
		return report(stderr, fmt.Errorf("%w (see robot --help)", err), exitUsage)
	}
	command.BindTo(ctx, (*context.Context)(nil))
	if err := command.Run(output{stdout, stderr}); err != nil {
		return report(stderr, err, exitFailed)
	}
	return exitOK
}

// report prints one line for each joined error.
func report(stderr io.Writer, err error, status int) int {
	for line := range strings.Lines(err.Error()) {
		_, _ = fmt.Fprintf(stderr, "robot: %s\n", strings.TrimSuffix(line, "\n"))
	}
	return status
}

// version is what the go command knows of the source: a tag, or the time and
// revision of a commit.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
