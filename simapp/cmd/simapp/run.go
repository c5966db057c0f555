package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"
)

// Exit statuses.
const (
	exitOK     = 0
	exitFailed = 1 // nothing was seen, or the server could not run
	exitUsage  = 2 // the command line makes no sense
)

const description = `The app's end of WIM-Z live video, without a phone.

    simapp watch --relay ws://127.0.0.1:8000 --email you@example.com --password-stdin < password
    simapp serve --relay ws://127.0.0.1:8000

The first shows figures of a robot's video in the terminal, the second serves a page
that shows the video itself.`

// grammar is the command line.
type grammar struct {
	Verbose bool             `short:"v" help:"Log what happens, and every step of WebRTC, to standard error."`
	Version kong.VersionFlag `help:"Print the version."`

	Watch watchCmd `cmd:"" help:"Watch a robot in the terminal and measure what comes."`
	Serve serveCmd `cmd:"" help:"Serve a page that shows a robot's video."`
}

// app is what the commands share.
type app struct {
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	log    *slog.Logger
}

// run is the whole program but for the process: it returns the exit status. It
// ends when the command does, or soon after ctx, which is how it is told to stop.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var cli grammar
	var printed bool // --help or --version has done its work
	parser, err := kong.New(&cli,
		kong.Name("simapp"),
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
		return report(stderr, fmt.Errorf("%w (see simapp --help)", err), exitUsage)
	}
	level := slog.LevelWarn
	if cli.Verbose {
		level = slog.LevelDebug
	}
	a := &app{
		stdin: stdin, stdout: stdout, stderr: stderr,
		log: slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level})),
	}
	command.BindTo(ctx, (*context.Context)(nil))
	if err := command.Run(a); err != nil {
		return report(stderr, err, exitFailed)
	}
	return exitOK
}

// report prints one line for each joined error.
func report(stderr io.Writer, err error, status int) int {
	for line := range strings.Lines(err.Error()) {
		_, _ = fmt.Fprintf(stderr, "simapp: %s\n", strings.TrimSuffix(line, "\n"))
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
